"""The bed: a cluster with its hosts outside, a stack that is applied to it, and the pods that ask."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from components.settings import Settings
from tests.cluster.bed import addons, addresses
from tests.cluster.bed.charts import Charts, prepare
from tests.cluster.bed.control_plane import ADMIN, ControlPlane
from tests.cluster.bed.kubectl import Kubectl
from tests.cluster.bed.network import Network, inside, remove_left_behind
from tests.cluster.bed.outside import Outside
from tests.cluster.bed.pods import Pod, find_pods
from tests.cluster.bed.processes import Process, start, wait_until
from tests.cluster.bed.stack import Manifests, Stack, copy_stack
from tests.cluster.toolchains import tool

_ROOM: Final = 2 * 1024**3
"""Bytes that are enough for two beds."""
_NODES: Final = 2 * len(addons.ZONES)


@dataclass(kw_only=True)
class Cluster:
    """A cluster that runs, with nothing of ours on it yet."""

    folder: Path
    settings: Settings
    network: Network
    control_plane: ControlPlane
    outside: Outside
    agent: Process
    charts: Charts
    applied: Manifests
    """What is applied; an empty folder before anything is."""

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl as an administrator, whom no rule stops but those for everybody."""
        return self.control_plane.kubectl(ADMIN)

    @property
    def deployer(self) -> Kubectl:
        """Kubectl as the service account that runs `pulumi up`."""
        return self.control_plane.kubectl(addons.DEPLOYER)

    @property
    def environment(self) -> dict[str, str]:
        """The environment for a command of the deployer: kubectl and helm on the path, and its kubeconfig."""
        programs = [str(tool(name, build=False).parent) for name in ("kubectl", "helm")]
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
            "HOME": str(home),
            "KUBECONFIG": str(self.control_plane.kubeconfig(addons.DEPLOYER)),
        }

    def stack(self, name: str, folder: str = "stack", *, charts: Charts | None = None) -> Stack:
        """A copy of the repository's project in which a stack takes the bed's charts, or others."""
        return copy_stack(name, self.folder / folder, charts or self.charts)

    def apply(self, stack: Stack, folder: str = "manifests") -> Manifests:
        """Apply everything that a stack registers, as the README of its manifests says."""
        manifests = stack.manifests(self.folder / folder)
        manifests.apply(self.environment, self.network.nodes, why_not=self.troubles)
        self.applied = manifests
        return manifests

    @contextmanager
    def changed_to(self, stack: Stack, folder: str) -> Generator[None]:
        """For a while, have what another stack registers instead of what is applied."""
        original = self.applied
        try:
            self.change_to(stack.manifests(self.folder / folder))
            yield
        finally:
            self.change_to(original)

    def change_to(self, manifests: Manifests) -> None:
        """Apply what differs from what is applied, and delete what is not there any more: what `pulumi up` does."""
        before = self.applied
        manifests.apply(self.environment, self.network.nodes, after=before, why_not=self.troubles)
        for command in before.deletions(manifests):
            manifests.run(command, self.environment, self.network.nodes, why_not=self.troubles)
        self.applied = manifests

    def add_clients(self) -> None:
        """Start the pods that ask, and wait until they are ready."""
        self.kubectl.apply(*addons.clients(self.outside.authority.read_text(encoding="utf-8")))
        for namespace in sorted({namespace for namespace, _, _ in addons.CLIENTS}):
            self.wait_ready(namespace)

    def client(self, namespace: str, name: str) -> Pod:
        """One of the pods that ask."""
        return self.pods(namespace, f"app={name}")[0]

    def pods(self, namespace: str, selector: str) -> list[Pod]:
        """The pods of a selector that run, by name."""
        return find_pods(self.kubectl, self.folder / "pods", namespace, selector)

    def wait_ready(self, namespace: str, selector: str = "", *, seconds: float = 90) -> None:
        """Wait until all pods of a namespace, or of a selector there, are ready.

        Raises:
            TimeoutError: they are not; the message names each and why.
        """
        wait_until(
            lambda: not self._not_ready(namespace, selector),
            f"the pods of {namespace} {selector}",
            seconds=seconds,
            why_not=lambda: "\n".join(self._not_ready(namespace, selector)) or "there are none",
        )

    def troubles(self) -> str:
        """Which pods are not ready, and why."""
        namespaces = sorted({pod["metadata"]["namespace"] for pod in self.kubectl.list("pods")})
        return "\n".join(f"{name}: {told}" for name in namespaces for told in self._not_ready(name, ""))

    def dry_create(self, objects: Sequence[Mapping[str, Any]], user: str = addons.DEPLOYER) -> list[tuple[int, str]]:
        """What the API server says to each new object: HTTP status, and its words if it refuses."""
        program = (sys.executable, "-m", "tests.cluster.bed.dry_run", str(self.control_plane.kubeconfig(user)))
        done = subprocess.run(
            [*inside(self.network.nodes), *program],
            input=json.dumps(objects),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return [(status, message) for status, message in json.loads(done.stdout)]

    def _not_ready(self, namespace: str, selector: str) -> list[str]:
        items = self.kubectl.list("pods", namespace, selector=selector or None)
        told: list[str] = [] if items else ["there are none"]
        for item in items:
            status: dict[str, Any] = item.get("status", {})
            held = {each["type"]: each for each in status.get("conditions", [])}
            if status.get("phase") != "Succeeded" and held.get("Ready", {}).get("status") != "True":
                why = [f"{each['type']}: {each['message']}" for each in held.values() if each.get("message")]
                states = [f"{each['name']} {each['state']}" for each in status.get("containerStatuses", [])]
                told.append(f"{item['metadata']['name']}: {'; '.join(why) or '; '.join(states)}")
        return told


@contextmanager
def running(settings: Settings, say: Callable[[str], None], *, name: str = "bed") -> Generator[Cluster]:
    """A cluster for a stack: nodes as its settings ask, the namespaces that they name, DNS, and hosts outside.

    Args:
        settings: of the stack.
        say: told what is being done.
        name: tells clusters of one process apart.
    """
    beds = _in_memory() / "cluster-egress-beds"
    beds.mkdir(exist_ok=True)
    remove_left_behind(beds)
    network = Network.of_this_process(name)
    folder = Path(tempfile.mkdtemp(prefix=network.prefix, dir=beds))
    control_plane = ControlPlane(folder=folder / "control-plane", namespace=network.nodes)
    agent: Process | None = None
    try:
        say("starting Kubernetes")
        network.add_nodes([addresses.API_SERVER, *(addresses.node_address(number) for number in range(_NODES))])
        control_plane.start()
        outside = Outside(folder=folder / "outside", network=network)
        outside.start()
        agent = start(
            "agent",
            [
                sys.executable,
                "-m",
                "tests.cluster.bed.agent",
                control_plane.kubeconfig("kubelet"),
                folder / "pods",
                network.prefix,
                outside.authority,
            ],
            namespace=network.nodes,
            log=folder / "agent.log",
        )
        cluster = Cluster(
            folder=folder,
            settings=settings,
            network=network,
            control_plane=control_plane,
            outside=outside,
            agent=agent,
            charts=prepare(folder / "charts", outside.authority.read_text(encoding="utf-8")),
            applied=Manifests(folder=folder / "nothing"),
        )
        _furnish(cluster)
        yield cluster
    finally:
        if agent is not None:
            agent.kill()
        network.remove_all()
        if os.environ.get("EGRESS_KEEP_BED", "") == "":
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"logs and state are kept in {folder}")


def _in_memory() -> Path:
    """A folder for what goes with the bed: in memory where there is room, because etcd and charts write a lot."""
    memory = Path("/dev/shm")  # noqa: S108 - where Linux keeps files in memory; the folder in it gets a name of its own
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM
    return memory if roomy else Path(tempfile.gettempdir())


def _furnish(cluster: Cluster) -> None:
    kubectl = cluster.kubectl
    kubectl.run("create", "-f", "-", text=_list(addons.nodes(cluster.settings)))
    kubectl.apply(*addons.teams(cluster.settings), *addons.dns())
    token = kubectl.run("create", "token", addons.DEPLOYER, "-n", addons.DEPLOYER_NAMESPACE, "--duration=24h").stdout
    cluster.control_plane.write_kubeconfig(addons.DEPLOYER, token.strip())
    cluster.wait_ready("kube-system")


def _list(objects: Iterable[Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
