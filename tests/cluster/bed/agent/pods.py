"""One pod, from the moment when it has a node until it is gone."""

import json
import shutil
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tests.cluster.bed import addresses
from tests.cluster.bed.agent.api import Api, Object
from tests.cluster.bed.agent.containers import Container, Runtime
from tests.cluster.bed.agent.known_fields import check
from tests.cluster.bed.agent.probes import before_stop, is_ready
from tests.cluster.bed.agent.status import lasting, now, status
from tests.cluster.bed.agent.volumes import NotThereYet, Volumes
from tests.cluster.bed.network import Network

_LOOK_SECONDS: Final = 0.2
_RESTART_SECONDS: Final = 1.0
_WRITE_SECONDS: Final = 2.0
"""How often changed Secrets and ConfigMaps reach the pod; a kubelet takes up to a minute."""


@dataclass(kw_only=True)
class PodWorker:
    """Runs one pod in a thread of its own."""

    api: Api
    network: Network
    envoy: Path
    authority: Path
    folder: Path
    number: int
    """Of the pod among all pods of the bed: names its network namespace."""
    pod: Object
    address: str
    host: str
    containers: dict[str, Container] = field(default_factory=dict[str, Container])
    _deleted: threading.Event = field(default_factory=threading.Event)
    _since: dict[str, str] = field(default_factory=dict[str, str])
    _reported: str = ""

    def start(self) -> None:
        """Run the pod until it is gone."""
        threading.Thread(target=self._live, name=self.folder.name, daemon=True).start()

    def update(self, pod: Object) -> None:
        """Take note of a change of the pod."""
        self.pod = pod
        conditions = pod.get("status", {}).get("conditions", [])
        if any(f"{each['type']}={each['status']}" not in self._since for each in conditions if each["type"] == "Ready"):
            self._reported = ""  # somebody else has written: say it again
        if "deletionTimestamp" in pod["metadata"]:
            self._deleted.set()

    def gone(self) -> None:
        """The pod is no more; nobody waits for its end."""
        self._deleted.set()

    @property
    def _path(self) -> str:
        metadata = self.pod["metadata"]
        return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"

    def _live(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be seen where one looks for it
            message = f"{type(error).__name__}: {error}"
            self._insist(lambda: self._report("Pending", waiting=f"the agent gave this pod up: {message}"))
        self._deleted.wait()  # one that has done its work, or was given up, is still there
        self._end()
        self.network.remove(f"{self.network.prefix}p{self.number}")
        self._insist(lambda: self.api.delete(self._path, self.pod["metadata"]["uid"]))

    def _run(self) -> None:
        """Run the pod until it is deleted, or has done its work."""
        check(self.pod["spec"])
        volumes = Volumes(api=self.api, folder=self.folder / "volumes")
        sysctls = {each["name"]: each["value"] for each in self._context().get("sysctls", [])}
        namespace = self.network.add(f"p{self.number}", [self.address], sysctls=sysctls)
        runtime = Runtime(folder=self.folder, network_namespace=namespace, volumes=volumes, envoy=self.envoy)
        self._write_names()
        shutil.copy(self.authority, self.folder / "etc" / "outside.pem")
        self._report("Pending")
        if self._started(runtime):
            self._watch(runtime)

    def _write_names(self) -> None:
        """How the pod finds addresses by name."""
        folder = self.folder / "etc"
        folder.mkdir()
        (folder / "hosts").write_text(
            f"127.0.0.1 localhost\n::1 localhost\n{self.address} {self.pod['metadata']['name']}\n"
        )
        (folder / "resolv.conf").write_text(
            f"nameserver {addresses.DNS_SERVICE}\n"
            f"search {self.pod['metadata']['namespace']}.svc.cluster.local svc.cluster.local cluster.local\n"
            "options ndots:5\n"
        )

    def _started(self, runtime: Runtime) -> bool:
        """Start all containers in order; false if the pod was deleted, or failed, meanwhile."""
        specs = [*self.pod["spec"].get("initContainers", []), *self.pod["spec"]["containers"]]
        inits = len(specs) - len(self.pod["spec"]["containers"])
        for index, spec in enumerate(specs):
            while not self._deleted.is_set():
                try:
                    runtime.volumes.write(self.pod)
                    self._keep(runtime.start(self.pod, spec))
                    break
                except (NotThereYet, LookupError, ValueError, OSError, httpx.HTTPError) as error:
                    self._report("Pending", waiting=f"{type(error).__name__}: {error}")
                    self._deleted.wait(1.0)
            while index < inits and not self._deleted.is_set() and not self._passed(spec):
                self._report("Pending", waiting=f"the init container {spec['name']} has failed")
                self._deleted.wait(_RESTART_SECONDS)
                self._keep(runtime.start(self.pod, spec))
        return not self._deleted.is_set()

    def _passed(self, spec: Object) -> bool:
        """Wait for an init container to end well, or for a sidecar to be ready."""
        container = self.containers.get(spec["name"])
        while container is not None and not self._deleted.is_set():
            if spec.get("restartPolicy") == "Always":
                container.ready = is_ready(spec, self.address)
                if container.ready:
                    return True
            elif container.exit_code is not None:
                container.ready = container.exit_code == 0
                return container.ready
            self._deleted.wait(_LOOK_SECONDS)
        return False

    def _watch(self, runtime: Runtime) -> None:
        """Report, restart, and bring changed Secrets, until the pod is deleted or has done its work."""
        written = time.monotonic()
        while not self._deleted.wait(_LOOK_SECONDS):
            try:
                if time.monotonic() - written > _WRITE_SECONDS:
                    runtime.volumes.write(self.pod)
                    written = time.monotonic()
                if self._done():
                    return
                for spec in lasting(self.pod["spec"]):
                    self._look_after(runtime, spec)
                self._report("Running")
            except (NotThereYet, httpx.HTTPError):
                continue  # the API server may be away; the pod lives on

    def _look_after(self, runtime: Runtime, spec: Object) -> None:
        container = self.containers[spec["name"]]
        if container.exit_code is None:
            container.ready = is_ready(spec, self.address)
            return
        container.ready = False
        self._report("Running")
        if not self._deleted.wait(_RESTART_SECONDS):
            again = runtime.start(self.pod, spec)
            again.restarts = container.restarts + 1
            self._keep(again)

    def _done(self) -> bool:
        """Whether this pod is to end, and has ended."""
        if self.pod["spec"].get("restartPolicy", "Always") == "Always":
            return False
        codes = [self.containers[spec["name"]].exit_code for spec in self.pod["spec"]["containers"]]
        if None in codes:
            return False
        phase = "Succeeded" if set(codes) == {0} else "Failed"
        self._insist(lambda: self._report(phase))
        return True

    def _end(self) -> None:
        seconds = self.pod["metadata"].get("deletionGracePeriodSeconds", 0)
        deadline = time.monotonic() + seconds
        hooks = [
            threading.Thread(
                target=before_stop, args=(spec, self.containers[spec["name"]], self.address, seconds), daemon=True
            )
            for spec in lasting(self.pod["spec"])
            if seconds > 0 and spec["name"] in self.containers
        ]
        for hook in hooks:
            hook.start()
        for hook in hooks:
            hook.join(timeout=max(0.0, deadline - time.monotonic()))
        # First the pod's own containers, then the sidecars that carry their traffic.
        own = {spec["name"] for spec in self.pod["spec"]["containers"]}
        for names in (own, set(self.containers) - own):
            chosen = [self.containers[name] for name in names if name in self.containers]
            for container in chosen:
                container.signal(signal.SIGTERM)
            while time.monotonic() < deadline and any(each.exit_code is None for each in chosen):
                time.sleep(0.1)
            for container in chosen:
                container.signal(signal.SIGKILL)

    def _keep(self, container: Container) -> None:
        self.containers[container.name] = container
        new = self.folder / "pids.new"
        new.write_text(json.dumps({name: each.pid for name, each in self.containers.items()}))
        new.rename(self.folder / "pids.json")

    def _report(self, phase: str, waiting: str | None = None) -> None:
        new = status(
            self.pod,
            phase=phase,
            address=self.address,
            host=self.host,
            containers=self.containers,
            since=self._since,
            waiting=waiting,
        )
        states = {f"{each['type']}={each['status']}" for each in new["conditions"]}
        facts = json.dumps([phase, waiting, sorted(states), [each.restarts for each in self.containers.values()]])
        if facts == self._reported:
            return
        self._since = {state: self._since.get(state, now()) for state in states}
        self.api.patch_status(self._path, new)
        self._reported = facts

    def _insist(self, report: Callable[[], None]) -> None:
        while True:
            try:
                report()
            except httpx.HTTPError:
                time.sleep(1.0)
            else:
                return

    def _context(self) -> Object:
        return self.pod["spec"].get("securityContext", {})
