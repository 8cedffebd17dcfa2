"""Network namespaces of the bed: one for the nodes, one for each pod, one for each host outside.

All are joined to the nodes' namespace, which routes between them and has no other way out: no packet leaves the bed.
"""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.cluster.bed.addresses import SERVICE_RANGE

_LINK_LOCAL: Final = "169.254.1.1"
"""The next hop of every pod and host: the nodes' end of its own cable."""
_NAME: Final = re.compile(r"^egress-bed-(\d+)-\w+-")


@dataclass(frozen=True, kw_only=True)
class Network:
    """The namespaces of one bed, whose names begin with `prefix`."""

    prefix: str

    @classmethod
    def of_this_process(cls, name: str) -> "Network":
        """Named after this process, so that beds do not meet, and so that those left behind are found."""
        return cls(prefix=f"egress-bed-{os.getpid()}-{name}-")

    @property
    def nodes(self) -> str:
        """The namespace in which the nodes, and the control plane's processes, have their addresses."""
        return f"{self.prefix}nodes"

    def add_nodes(self, addresses: list[str]) -> None:
        """Make the nodes' namespace."""
        _ip("netns", "add", self.nodes)
        there = inside(self.nodes)
        _run(*there, "ip", "link", "set", "lo", "up")
        for address in addresses:
            _run(*there, "ip", "address", "add", f"{address}/32", "dev", "lo")
        # Processes of the nodes reach Services too: a packet needs a route before kube-proxy's rules turn it elsewhere.
        _run(*there, "ip", "link", "add", "services", "type", "bridge")
        _run(*there, "ip", "link", "set", "services", "up")
        _run(*there, "ip", "route", "add", SERVICE_RANGE, "dev", "services", "src", addresses[0])
        for setting in ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"):
            _run(*there, "sysctl", "-qw", setting)

    def add(self, name: str, addresses: list[str], *, sysctls: dict[str, str] | None = None) -> str:
        """Make a namespace with its own addresses and a cable to the nodes'; returns its name."""
        namespace, cable = f"{self.prefix}{name}", f"c-{name}"[:15]
        _ip("netns", "add", namespace)
        there, here = ("ip", "-netns", self.nodes), ("ip", "-netns", namespace)
        _run(*there, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        _run(*there, "address", "add", f"{_LINK_LOCAL}/32", "dev", cable)
        _run(*there, "link", "set", cable, "up")
        _run(*here, "link", "set", "lo", "up")
        _run(*here, "link", "set", "eth0", "up")
        _run(*here, "route", "add", _LINK_LOCAL, "dev", "eth0")
        for address in addresses:
            _run(*here, "address", "add", f"{address}/32", "dev", "eth0")
            _run(*there, "route", "add", f"{address}/32", "dev", cable)
        _run(*here, "route", "add", "default", "via", _LINK_LOCAL, "src", addresses[0])
        for key, value in (sysctls or {}).items():
            _run(*inside(namespace), "sysctl", "-qw", f"{key}={value}")
        return namespace

    def remove(self, namespace: str) -> None:
        """End every process in a namespace, and the namespace; nothing happens if there is none."""
        if namespace not in _namespaces():
            return
        for pid in _pids(namespace):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _ip("netns", "delete", namespace)

    def remove_all(self) -> None:
        """End the bed's processes, and its namespaces."""
        # The nodes' last: what runs there may still be making others.
        for namespace in sorted(_namespaces(), key=lambda name: name == self.nodes):
            if namespace.startswith(self.prefix):
                self.remove(namespace)


def inside(namespace: str) -> tuple[str, ...]:
    """The words before a command that have it run in a network namespace; nothing else of it changes."""
    return ("nsenter", f"--net=/run/netns/{namespace}", "--")


def remove_left_behind(folders: Path) -> None:
    """Remove the namespaces, and the folders, of beds whose process is gone."""
    for folder in folders.iterdir():
        owner = _NAME.match(f"{folder.name}-")
        if owner is not None and not Path(f"/proc/{owner[1]}").exists():
            shutil.rmtree(folder, ignore_errors=True)
    for namespace in _namespaces():
        owner = _NAME.match(namespace)
        if owner is not None and not Path(f"/proc/{owner[1]}").exists():
            Network(prefix=owner[0]).remove(namespace)


def _namespaces() -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines() if line.strip() != ""]


def _pids(namespace: str) -> list[int]:
    listed = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=True).stdout
    return [int(pid) for pid in listed.split()]


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
