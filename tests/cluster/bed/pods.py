"""Pods of the bed, seen from a test: where they run, what they print, and commands inside them."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.bed.kubectl import Kubectl
from tests.cluster.bed.processes import plain_environment

_SIDECAR_USER: Final = 1337
"""The user whose traffic a sidecar does not capture."""


EGRESS_GATEWAYS: Final = ("istio-egress", "app=egress-gateway")
"""Namespace and selector of the egress gateway's pods."""
OFFER_PROXIES: Final = ("envoy-gateway-system", "gateway.envoyproxy.io/owning-gateway-name=cluster-egress")
"""Namespace and selector of Envoy Gateway's proxies."""
OFFER: Final = "http://cluster-egress.envoy-gateway-system.svc.cluster.local"
"""Where the stack's backends are offered inside, by the name of the Service."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What `curl` got."""

    exit_code: int
    """Of curl: 0 if there was an answer, whichever."""
    status: int
    """HTTP status; 0 if there was none."""
    body: str
    error: str

    @property
    def outcome(self) -> str:
        """The status, or curl's words if there was no answer."""
        return str(self.status) if self.exit_code == 0 else f"no answer: {self.error}"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """A pod that the agent runs."""

    namespace: str
    name: str
    uid: str
    address: str
    node: str
    folder: Path

    def run(
        self, *command: str, container: str = "app", user: int = 1000, seconds: float = 20
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container."""
        identity = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--")
        entered = ("nsenter", f"--target={self.pid(container)}", "--net", "--mount", "--pid", "--root", "--wd=/", "--")
        return subprocess.run(
            [*entered, *identity, *command],
            env=plain_environment() | {"HOME": "/"},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def curl(self, url: str, *arguments: str, user: int = 1000, seconds: int = 15) -> Answer:
        """Ask an HTTP server; the hosts outside are trusted."""
        shown = '%{stderr}{"status":"%{response_code}","error":"%{errormsg}"}'
        command = (
            "curl",
            "--silent",
            "--max-time",
            str(seconds),
            "--cacert",
            "/etc/outside/ca.pem",
            "--write-out",
            shown,
        )
        done = self.run(*command, *arguments, url, user=user, seconds=seconds + 5)
        told = json.loads(done.stderr.splitlines()[-1]) if done.stderr.strip() else {"status": "0", "error": ""}
        return Answer(exit_code=done.returncode, status=int(told["status"]), body=done.stdout, error=told["error"])

    def curl_past_sidecar(self, url: str, *arguments: str) -> Answer:
        """The same as the sidecar's own user, whose traffic goes straight out."""
        return self.curl(url, *arguments, user=_SIDECAR_USER)

    def call(self, url: str, *arguments: str) -> str:
        """What a call by gRPC, of an empty message, is answered with: headers and trailers.

        Args:
            url: where to, with the service and the method as its path; by `http:` it speaks HTTP/2 from the first byte.
            arguments: more of curl's.
        """
        script = (
            "printf '\\0\\0\\0\\0\\0' | curl --silent --max-time 9 --http2-prior-knowledge --cacert /etc/outside/ca.pem"
            " --header 'content-type: application/grpc' --header 'te: trailers' --dump-header - --output /dev/null"
            ' --data-binary @- "$@"'
        )
        # A proxy may answer and reset the stream before the message is sent: curl then fails (92) and shows nothing.
        tries = (self.run("sh", "-c", script, "sh", *arguments, url).stdout for _ in range(5))
        return next((shown for shown in tries if shown), "")

    def log(self, container: str) -> str:
        """What a container has printed."""
        return (self.folder / "logs" / f"{container}.log").read_text(errors="replace")

    def access_log(self, container: str, since: int = 0) -> list[Mapping[str, Any]]:
        """The lines of a proxy's JSON access log, from character `since` of its output on."""
        lines = [line for line in self.log(container)[since:].splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]

    def admin(self, path: str, container: str = "istio-proxy", port: int = 15000) -> str:
        """What the admin interface of the pod's Envoy says."""
        command = ("curl", "--silent", "--fail", f"http://127.0.0.1:{port}/{path}")
        return self.run(*command, container=container, user=_SIDECAR_USER).stdout

    def pid(self, container: str) -> int:
        """The first process of a container, as this machine numbers it."""
        return json.loads((self.folder / "pids.json").read_text(encoding="utf-8"))[container]

    def kill(self, container: str) -> None:
        """End a container without warning; the agent starts it again."""
        os.kill(self.pid(container), signal.SIGKILL)


Client = Callable[[str, str], Pod]
"""The pods that ask, by namespace and name."""


def find_pods(kubectl: Kubectl, folder: Path, namespace: str, selector: str) -> list[Pod]:
    """The pods of a selector that run, by name."""
    found: list[Pod] = []
    for item in kubectl.list("pods", namespace, selector=selector):
        metadata, status = item["metadata"], item.get("status", {})
        if status.get("phase") == "Running" and "deletionTimestamp" not in metadata:
            found.append(
                Pod(
                    namespace=namespace,
                    name=metadata["name"],
                    uid=metadata["uid"],
                    address=status["podIP"],
                    node=item["spec"]["nodeName"],
                    folder=folder / f"{namespace}_{metadata['name']}_{metadata['uid']}",
                )
            )
    return sorted(found, key=lambda pod: pod.name)
