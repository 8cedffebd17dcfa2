"""What istiod and the proxies say about themselves."""

import json
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.network import inside
from tests.cluster.bed.pods import Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.proxy_config import ask

_METRICS_PORT: Final = 15014
_KINDS: Final = {
    "cds": "CDS",
    "eds": "EDS",
    "lds": "LDS",
    "rds": "RDS",
    "Cluster": "CDS",
    "ClusterLoadAssignment": "EDS",
    "Listener": "LDS",
    "RouteConfiguration": "RDS",
}
"""What istiod's metrics call a kind of configuration: by its short name, or by the end of its type's."""
_SAMPLE: Final = re.compile(r"^(\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)
_TYPE: Final = re.compile(r'[{,]type="(?:[^"]*\.)?(\w+)"')
_SECONDS: Final = 120
_QUIET: Final = 3.0
"""Seconds without a push after which istiod has nothing more to say."""


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What istiod pushed in a while."""

    seconds: Mapping[str, float]
    """Making and sending it, by kind (CDS, EDS, LDS, RDS)."""
    size: Mapping[str, float]
    """Bytes, by kind."""
    converging: float
    """Mean seconds from a change until a proxy has it, istiod's debouncing apart."""


class Istiod:
    """istiod's metrics; there is one pod of it."""

    def __init__(self, cluster: Cluster, pod: Pod) -> None:
        """Of a cluster."""
        url = f"http://{pod.address}:{_METRICS_PORT}/metrics"
        self._command = [*inside(cluster.network.nodes), "curl", "--silent", "--fail", url]

    def settle(self) -> dict[str, float]:
        """Wait until it pushes nothing any more; its metrics then."""
        before, since = self._metrics(), time.monotonic()
        while time.monotonic() - since < _QUIET:
            time.sleep(0.5)
            now = self._metrics()
            if any(now[name] != before.get(name) for name in now if name.startswith("pilot_xds_pushes")):
                since = time.monotonic()
            before = now
        return before

    def pushed_since(self, before: Mapping[str, float]) -> Pushed:
        """What it has pushed since it had other metrics, once it is quiet."""
        after = self.settle()
        grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
        count = grown.get("pilot_proxy_convergence_time_count", 0.0)
        return Pushed(
            seconds=_by_kind(grown, "pilot_xds_push_time_sum"),
            size=_by_kind(grown, "pilot_xds_config_size_bytes_sum"),
            converging=grown.get("pilot_proxy_convergence_time_sum", 0.0) / count if count else 0.0,
        )

    def _metrics(self) -> dict[str, float]:
        done = subprocess.run(self._command, capture_output=True, text=True, check=True, timeout=_SECONDS)  # noqa: S603
        return {sample: float(value) for sample, value in _SAMPLE.findall(done.stdout) if "_bucket{" not in sample}


def restart(pod: Pod) -> None:
    """Start a pod's proxy anew: a heap that has been large stays large."""
    before = pod.pid("istio-proxy")
    pod.kill("istio-proxy")
    wait_until(lambda: pod.pid("istio-proxy") != before and _is_live(pod), f"the proxy of {pod.name}", seconds=_SECONDS)


def memory(pod: Pod) -> int:
    """Bytes that a pod's proxy has allocated."""
    return int(json.loads(ask(pod, "memory"))["allocated"])


def knows(pod: Pod, host: str) -> bool:
    """Whether a pod's proxy has a filter chain, a route or a cluster of a host."""
    return host in ask(pod, "config_dump")


def _is_live(pod: Pod) -> bool:
    try:
        return json.loads(ask(pod, "server_info") or "{}").get("state") == "LIVE"
    except (OSError, subprocess.SubprocessError, ValueError):
        return False


def _by_kind(metrics: Mapping[str, float], name: str) -> dict[str, float]:
    found = dict.fromkeys(sorted({*_KINDS.values()}), 0.0)
    for key, value in metrics.items():
        kind = _TYPE.search(key) if key.startswith(f"{name}{{") else None
        if kind is not None and kind[1] in _KINDS:
            found[_KINDS[kind[1]]] += value
    return found
