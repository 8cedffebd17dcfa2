"""Where the real scheduler puts pods: gateways on the egress nodes of all zones, and nothing else there."""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cluster.bed.addons import client as client_pod
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Pod
from tests.cluster.bed.processes import wait_until

Client = Callable[[str, str], Pod]
GATEWAYS = {
    "istio-egress": "app=egress-gateway",
    "envoy-gateway-system": "gateway.envoyproxy.io/owning-gateway-name=cluster-egress",
}


def _egress_nodes(cluster: Cluster) -> dict[str, str]:
    """Zone by node, of the nodes that carry the labels that the stack names."""
    selector = ",".join(f"{key}={value}" for key, value in cluster.settings.egress.nodes.labels.items())
    nodes = cluster.kubectl.list("nodes", selector=selector)
    return {node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes}


@pytest.mark.proves(
    "nodes",
    "gateway pods land on the tainted egress nodes, one in each zone",
    kinds=("EnvoyProxy.gateway.envoyproxy.io", "Release.helm.sh"),
)
@pytest.mark.parametrize("namespace", GATEWAYS)
def test_gateways_are_spread_over_the_egress_nodes(cluster: Cluster, namespace: str) -> None:
    """Guards against a selector, a toleration or a spread that the scheduler reads differently from us."""
    zones = _egress_nodes(cluster)
    pods = cluster.pods(namespace, GATEWAYS[namespace])
    assert len(pods) >= len(set(zones.values()))
    assert {pod.node for pod in pods} <= set(zones)
    spread = Counter(zones[pod.node] for pod in pods)
    assert set(spread) == set(zones.values())
    assert max(spread.values()) - min(spread.values()) <= 1


@pytest.mark.proves("nodes", "ordinary pods never land on egress nodes")
def test_ordinary_pods_never_land_on_egress_nodes(cluster: Cluster) -> None:
    """Guards against a pod whose traffic leaves from the addresses that firewalls outside trust."""
    egress = set(_egress_nodes(cluster))
    gateways = {pod.uid for namespace, selector in GATEWAYS.items() for pod in cluster.pods(namespace, selector)}
    placed = [pod for pod in cluster.kubectl.list("pods") if "nodeName" in pod["spec"]]
    strangers = [pod for pod in placed if pod["metadata"]["uid"] not in gateways]
    assert len(strangers) > len(egress)
    assert {pod["spec"]["nodeName"] for pod in strangers} & egress == set()


@pytest.mark.proves("nodes", "ordinary pods never land on egress nodes")
def test_an_ordinary_pod_waits_rather_than_take_an_egress_node(cluster: Cluster) -> None:
    """Guards against nodes whose taints only discourage: the ordinary nodes are closed here."""
    with _closed(cluster, "topology.kubernetes.io/zone,!node-role.cluster-egress/egress"):
        pod = client_pod("monitoring", "waits", "probe")
        cluster.kubectl.apply(pod)
        try:
            wait_until(
                lambda: "Unschedulable" in str(_conditions(cluster, "waits")), "the scheduler's verdict", seconds=20
            )
            assert "nodeName" not in cluster.kubectl.get("pod", "waits", "monitoring")["spec"]
        finally:
            cluster.kubectl.run("delete", "pod", "waits", "-n", "monitoring", "--wait=true")


@pytest.mark.proves("nodes", "with one zone drained, both gateways still serve, from the other zone")
def test_a_drained_zone_leaves_the_gateways_serving(cluster: Cluster, client: Client) -> None:
    """Guards against a disruption budget that blocks the drain, and a spread that leaves pods without a node."""
    drained = "egress-a"
    try:
        cluster.kubectl.run(
            "drain", drained, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s", "--grace-period=5"
        )
        for namespace, selector in GATEWAYS.items():
            cluster.wait_ready(namespace, selector)
            assert {pod.node for pod in cluster.pods(namespace, selector)} == {"egress-b"}
        reader, probe = client("news", "reader"), client("monitoring", "probe")
        offer = "http://cluster-egress.envoy-gateway-system.svc.cluster.local/drained"
        for number in range(5):
            assert reader.curl(f"http://edition.cnn.com/drained-{number}").outcome == "200"
            assert reader.curl(f"https://edition.cnn.com/drained-{number}").outcome == "200"
            assert probe.curl(offer, "--header", "host: httpbin.org").outcome == "200"
    finally:
        cluster.kubectl.run("uncordon", drained)
        for namespace, selector in GATEWAYS.items():
            cluster.kubectl.run("delete", "pods", "-n", namespace, "-l", selector, "--grace-period=1")
            wait_until(lambda n=namespace, s=selector: _whole(cluster, n, s), f"{namespace} in both zones")


def _whole(cluster: Cluster, namespace: str, selector: str) -> bool:
    cluster.wait_ready(namespace, selector)
    return {pod.node for pod in cluster.pods(namespace, selector)} == set(_egress_nodes(cluster))


def _conditions(cluster: Cluster, name: str) -> Any:
    return cluster.kubectl.get("pod", name, "monitoring").get("status", {}).get("conditions", [])


@contextmanager
def _closed(cluster: Cluster, selector: str) -> Generator[None]:
    cluster.kubectl.run("cordon", "--selector", selector)
    try:
        yield
    finally:
        cluster.kubectl.run("uncordon", "--selector", selector)
