"""One destination more, by gRPC and by TLS, on a cluster that carries traffic: what changes, and who can use it."""

from collections.abc import Generator
from contextlib import ExitStack
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stack import Key
from tests.cluster.bed.stream import flowing
from tests.cluster.one_more import declare
from tests.cluster.test_acceptance import settled_versions, versions

SHARED: Final = {
    ("DestinationRule.v1.networking.istio.io", "news", "egress-gateway"): "how news's sidecars talk to the gateway",
    ("NetworkPolicy.v1.networking.k8s.io", "istio-egress", "egress-gateway"): "the gateway's ports",
    ("Service", "istio-egress", "egress-gateway"): "the gateway's ports",
}
"""What a destination on a port that was not there before may change, and why."""


@pytest.fixture(scope="module")
def grown(cluster: Cluster, client: Client) -> Generator[tuple[dict[Key, Any], dict[Key, Any], dict[str, int]]]:
    """The cluster with one destination more: its objects before and after, and what became of traffic meanwhile."""
    stack = cluster.stack("dev", "grown")
    declare(stack)
    reader = client("news", "reader")
    before = settled_versions(cluster)
    with ExitStack() as undone:
        with flowing(lambda: reader.curl("http://edition.cnn.com/grow").outcome) as stream:
            undone.enter_context(cluster.changed_to(stack, "grown-manifests"))
            after = versions(cluster)
        yield before, after, stream.outcomes


@pytest.mark.proves("growth", "one destination more changes only its own objects, while traffic flows")
def test_only_its_own_objects_change(grown: tuple[dict[Key, Any], dict[Key, Any], dict[str, int]]) -> None:
    """Guards against an addition that touches, or interrupts, what other teams depend on."""
    before, after, outcomes = grown
    assert set(before) - set(after) == set()
    assert {key for key in before if before[key] != after[key]} <= set(SHARED)
    assert {kind.partition(".")[0] for kind, _, _ in set(after) - set(before)} == {
        "AuthorizationPolicy",
        "Gateway",
        "ServiceEntry",
        "VirtualService",
    }
    assert set(outcomes) == {"200"}


@pytest.mark.proves("mesh", "a declared client reaches a declared host by gRPC, and others do not")
@pytest.mark.usefixtures("grown")
def test_grpc_goes_through_the_gateway(cluster: Cluster, client: Client) -> None:
    """Guards against HTTP/2 that is spoken to the gateway and not beyond it."""
    since = cluster.outside.count("api")
    wait_until(lambda: "grpc-status: 0" in _call(client("news", "other")), "an answer by gRPC", seconds=30)
    seen = cluster.outside.seen("api", since=since, event="request", protocol="grpc")
    gateways = {pod.address for pod in cluster.pods(*EGRESS_GATEWAYS)}
    assert {request["peer"] for request in seen} <= gateways
    assert {request["path"] for request in seen} == {"/bed.Api/Ask"}
    assert "grpc-status: 0" not in _call(client("news", "reader"))
    assert "grpc-status: 0" not in _call(client("elsewhere", "reader"))


@pytest.mark.proves("growth", "permissions of the added destination are its own")
@pytest.mark.usefixtures("grown")
def test_permissions_do_not_mix(client: Client) -> None:
    """Guards against groups that share a door: each account reaches its own host, and not the other's."""
    reader, other = client("news", "reader"), client("news", "other")
    wait_until(lambda: other.curl("https://api.example.org/").outcome == "200", "the added host")
    assert reader.curl("https://api.example.org/").exit_code != 0
    assert reader.curl("https://edition.cnn.com/").outcome == "200"
    assert other.curl("https://edition.cnn.com/").exit_code != 0
    assert other.curl("http://edition.cnn.com/").outcome == "403"


def _call(pod: Pod) -> str:
    return pod.call("http://api.example.org:50051/bed.Api/Ask")
