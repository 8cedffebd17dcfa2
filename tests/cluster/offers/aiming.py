"""How tests aim: at one proxy past the Service, from an address outside, and at what does not answer for a while."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from components.settings.reserved import pod_port
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.network import inside
from tests.cluster.bed.pods import Pod
from tests.cluster.offers.asking import DEFAULT
from tests.cluster.offers.declared import NAMESPACE

NEAR: Final = "198.51.100.7"
"""An address that `clientCidrs` of the stack let in."""
_PORTS: Final = {"http": 80, "https": 443}


def proxies(cluster: Cluster, gateway: str = DEFAULT) -> list[Pod]:
    """The proxies of a Gateway."""
    return cluster.pods(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={gateway}")


def straight(url: str, proxy: Pod) -> tuple[str, str]:
    """Arguments for curl by which one proxy is asked for a URL, and not the Service."""
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    return "--connect-to", f"{parts.hostname}:{port}:{proxy.address}:{pod_port(port)}"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Somebody outside the cluster, with an address of its own."""

    namespace: str
    """The network namespace."""

    def status(self, url: str, *arguments: str, proxy: Pod) -> str:
        """What a proxy answers; `000` if it does not."""
        shown = ("--silent", "--max-time", "10", "--output", "/dev/null", "--write-out", "%{http_code}")
        return self.run("curl", *shown, *straight(url, proxy), *arguments, url)

    def run(self, *command: str) -> str:
        """What a command prints."""
        entered = [*inside(self.namespace), *command]
        return subprocess.run(entered, capture_output=True, text=True, check=False, timeout=20).stdout


@contextmanager
def visitor(cluster: Cluster, address: str) -> Generator[Visitor]:
    """For a while, somebody outside with this address."""
    namespace = cluster.network.add(f"v{address.replace('.', '')}", [address])
    try:
        yield Visitor(namespace=namespace)
    finally:
        cluster.network.remove(namespace)


@contextmanager
def suspended(pods: list[Pod], container: str) -> Generator[None]:
    """For a while, have containers take connections and answer nothing."""
    assert pods != []
    pids = [pod.pid(container) for pod in pods]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
