"""`observe` on a cluster that enforces, and back: what passes, what is told, and that nothing declared is cut."""

import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stream import Stream, flowing

_UNDECLARED: Final = "http://undeclared.example.com/observed"


@pytest.fixture(scope="module")
def observed(cluster: Cluster, client: Client) -> Generator[Stream]:
    """The stack with `posture: observe`, and what became of declared traffic during the change."""
    stack = cluster.stack("dev", "observing")
    stack.file.write_text(stack.file.read_text(encoding="utf-8").replace("posture: enforce", "posture: observe"))
    reader = client("news", "reader")
    with ExitStack() as undone:
        with flowing(lambda: reader.curl("http://edition.cnn.com/posture").outcome) as stream:
            undone.enter_context(cluster.changed_to(stack, "observing-manifests"))
            wait_until(lambda: reader.curl(_UNDECLARED).outcome == "200", "the sidecars to let undeclared hosts pass")
        yield stream
    wait_until(lambda: reader.curl(_UNDECLARED).outcome == "502", "the sidecars to refuse undeclared hosts again")


@pytest.mark.proves("posture", "`observe` cuts nothing: undeclared hosts and callers pass, declared traffic flows on")
def test_observing_cuts_nothing(observed: Stream, client: Client) -> None:
    """Guards against a first rollout that breaks the cluster that it was to look at."""
    assert set(observed.outcomes) == {"200"}
    reader, other = client("news", "reader"), client("news", "other")
    for pod, url in (
        (reader, "https://undeclared.example.com/"),
        (other, "http://edition.cnn.com/"),
        (other, "https://edition.cnn.com/"),
    ):
        # Every proxy learns of the change by itself, and an open connection keeps what it began with.
        wait_until(lambda pod=pod, url=url: pod.curl(url).outcome == "200", f"{pod.name} to reach {url}")


@pytest.mark.usefixtures("observed")
@pytest.mark.proves(
    "posture", "`observe` tells what `enforce` would refuse: hosts and callers in logs, and in counters"
)
def test_observing_tells_what_would_be_refused(cluster: Cluster, client: Client) -> None:
    """Guards against a change to `enforce` that surprises everybody."""
    reader = client("news", "reader")
    reader.curl("http://undeclared.example.com/told")

    def told() -> bool:
        lines = reader.access_log("istio-proxy")
        return any(line["path"] == "/told" and line["upstream_cluster"] == "PassthroughCluster" for line in lines)

    wait_until(told, "the undeclared host in the sidecar's log", seconds=20)
    before = _would_be_denied(cluster)
    # A pooled connection may ask once more by the old rules.
    wait_until(
        lambda: client("news", "other").curl("http://edition.cnn.com/told").outcome == "200", "the caller to pass"
    )
    wait_until(
        lambda: _would_be_denied(cluster) > before, "the undeclared caller in the gateway's counters", seconds=20
    )
    other = "spiffe://cluster.local/ns/news/sa/other"
    for scheme in ("http", "https"):
        client("news", "other").curl(f"{scheme}://edition.cnn.com/told-{scheme}")
    wait_until(
        lambda: {line["protocol"] for line in _host_only(cluster) if line["client"] == other} >= {"HTTP/2", None},
        "the undeclared caller in the gateway's log, by HTTP and by TLS",
        seconds=20,
    )


@pytest.mark.usefixtures("observed")
@pytest.mark.proves("posture", "`observe` refuses nothing at admission, and warns")
def test_observing_warns_at_admission(cluster: Cluster) -> None:
    """Guards against an admission policy that blocks while everything else only looks."""
    backend = {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "Backend",
        "metadata": {"name": "observed", "namespace": "monitoring"},
        "spec": {"endpoints": [{"ip": {"address": "0.0.0.0", "port": 80}}]},  # noqa: S104 - what is to be told
    }
    done = cluster.deployer.run("apply", "--server-side", "--dry-run=server", "-f", "-", text=json.dumps(backend))
    assert "Warning" in done.stderr
    assert "EGR101" in done.stderr


def _host_only(cluster: Cluster) -> list[Mapping[str, Any]]:
    """Lines of the gateways' logs on hosts that are declared, but not for who asked."""
    lines = [line for pod in cluster.pods(*EGRESS_GATEWAYS) for line in pod.access_log("istio-proxy")]
    return [line for line in lines if line["declared"] == "host-only"]


def _would_be_denied(cluster: Cluster) -> int:
    """How often the gateways would have refused somebody, by their own counters."""
    gateways = cluster.pods(*EGRESS_GATEWAYS)
    lines = [line for pod in gateways for line in pod.admin("stats?filter=rbac.*shadow_denied").splitlines()]
    return sum(int(line.rpartition(": ")[2]) for line in lines if line[-1:].isdecimal())
