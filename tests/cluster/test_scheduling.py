"""Where the real scheduler puts pods: gateways on the egress nodes of all zones, and nothing else there."""

from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.cluster.bed.addons import client as client_pod
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, OFFER, OFFER_PROXIES, Client
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stream import flowing

GATEWAYS: dict[str, str] = dict((EGRESS_GATEWAYS, OFFER_PROXIES))


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


@pytest.mark.proves("nodes", "a zone without room makes gateway pods wait rather than crowd into another")
@pytest.mark.parametrize("namespace", GATEWAYS)
def test_one_zone_never_takes_two_pods_more_than_another(cluster: Cluster, namespace: str) -> None:
    """Guards against a spread that only the scheduler's own taste brings about: here it would decide otherwise."""
    deployment = next(
        item for item in cluster.kubectl.list("deployments", namespace) if item["metadata"]["name"] != "envoy-gateway"
    )
    template = deployment["spec"]["template"]
    with ExitStack() as gone:
        gone.enter_context(_pod(cluster, _filler("egress-b"), placed=True))
        # One more than in the other zone is allowed, and two are not.
        gone.enter_context(_pod(cluster, _scout(template, namespace, "scout-1"), placed=True))
        gone.enter_context(_pod(cluster, _scout(template, namespace, "scout-2"), placed=False))


@pytest.mark.proves("nodes", "gateway pods wait rather than take an ordinary node")
@pytest.mark.parametrize("namespace", GATEWAYS)
def test_a_gateway_pod_waits_rather_than_take_an_ordinary_node(cluster: Cluster, namespace: str) -> None:
    """Guards against a preference in the place of a selector: the egress nodes are closed here."""
    deployment = next(
        item for item in cluster.kubectl.list("deployments", namespace) if item["metadata"]["name"] != "envoy-gateway"
    )
    scout = _scout(deployment["spec"]["template"], namespace, "scout")
    with _closed(cluster, "node-role.cluster-egress/egress"), _pod(cluster, scout, placed=False):
        pass


@pytest.mark.proves("nodes", "disruption budgets watch over the gateways' pods, one at a time")
@pytest.mark.parametrize("namespace", GATEWAYS)
def test_disruption_budgets_watch_the_gateways(cluster: Cluster, namespace: str) -> None:
    """Guards against a budget that is missing, or whose selector matches nothing."""

    def watched() -> bool:
        budgets = [each["status"] for each in cluster.kubectl.list("poddisruptionbudgets", namespace)]
        return [(each["expectedPods"], each["disruptionsAllowed"]) for each in budgets if each["expectedPods"]] == [
            (2, 1)
        ]

    budgets = lambda: str(cluster.kubectl.list("poddisruptionbudgets", namespace))  # noqa: E731
    wait_until(watched, "a budget of one pod for two", seconds=20, why_not=budgets)


@pytest.mark.proves("nodes", "ordinary pods never land on egress nodes")
def test_ordinary_pods_never_land_on_egress_nodes(cluster: Cluster) -> None:
    """Guards against a pod whose traffic leaves from the addresses that firewalls outside trust."""
    egress = set(_egress_nodes(cluster))
    gateways = {
        pod["metadata"]["uid"]
        for namespace, selector in GATEWAYS.items()
        for pod in cluster.kubectl.list("pods", namespace, selector=selector)
    }
    placed = [pod for pod in cluster.kubectl.list("pods") if "nodeName" in pod["spec"]]
    strangers = [pod for pod in placed if pod["metadata"]["uid"] not in gateways]
    assert len(strangers) > len(egress)
    assert {pod["spec"]["nodeName"] for pod in strangers} & egress == set()


@pytest.mark.proves("nodes", "ordinary pods never land on egress nodes")
def test_an_ordinary_pod_waits_rather_than_take_an_egress_node(cluster: Cluster) -> None:
    """Guards against nodes whose taints only discourage: the ordinary nodes are closed here."""
    pod = client_pod("monitoring", "waits", "probe")
    with (
        _closed(cluster, "topology.kubernetes.io/zone,!node-role.cluster-egress/egress"),
        _pod(cluster, pod, placed=False),
    ):
        pass


@pytest.mark.proves("nodes", "with one zone drained, both gateways still serve, from the other zone")
def test_a_drained_zone_leaves_the_gateways_serving(cluster: Cluster, client: Client) -> None:
    """Guards against a disruption budget that blocks the drain, and a spread that leaves pods without a node."""
    drained = "egress-a"
    reader, probe = client("news", "reader"), client("monitoring", "probe")
    try:
        with flowing(
            lambda: reader.curl("http://edition.cnn.com/drained").outcome,
            lambda: reader.curl("https://edition.cnn.com/drained").outcome,
            lambda: probe.curl(f"{OFFER}/drained", "--header", "host: httpbin.org").outcome,
        ) as stream:
            cluster.kubectl.run("drain", drained, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s")
            for namespace, selector in GATEWAYS.items():
                cluster.wait_ready(namespace, selector)
                assert {pod.node for pod in cluster.pods(namespace, selector)} == {"egress-b"}
            stream.wait_for(3)
        assert set(stream.outcomes) == {"200"}
    finally:
        cluster.kubectl.run("uncordon", drained)
        for namespace, selector in GATEWAYS.items():
            cluster.kubectl.run("delete", "pods", "-n", namespace, "-l", selector, "--grace-period=1")
            wait_until(lambda n=namespace, s=selector: _whole(cluster, n, s), f"{namespace} in both zones")


def _whole(cluster: Cluster, namespace: str, selector: str) -> bool:
    cluster.wait_ready(namespace, selector)
    return {pod.node for pod in cluster.pods(namespace, selector)} == set(_egress_nodes(cluster))


def _scout(template: dict[str, Any], namespace: str, name: str) -> dict[str, Any]:
    """A pod that the scheduler treats as the gateway's, and that never starts: there is no such image."""
    container = {"name": "none", "image": "bed/none:1", "resources": {"requests": {"cpu": "1"}}}
    spec = {**template["spec"], "containers": [container], "volumes": []}
    spec |= {"securityContext": {}, "terminationGracePeriodSeconds": 0}
    labels = {**template["metadata"]["labels"], "sidecar.istio.io/inject": "false"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": spec,
    }


def _filler(node: str) -> dict[str, Any]:
    """A pod that takes what is left of a node."""
    container = {"name": "none", "image": "bed/none:1", "resources": {"requests": {"cpu": "31500m"}}}
    spec = {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "filler", "namespace": "monitoring"}, "spec": spec}


@contextmanager
def _pod(cluster: Cluster, pod: dict[str, Any], *, placed: bool) -> Generator[None]:
    """Have a pod for a while, which the scheduler is expected to give a node, or to leave waiting."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]

    def state() -> str:
        held = cluster.kubectl.get("pod", name, namespace)
        waits = "Unschedulable" in str(held.get("status", {}).get("conditions", []))
        return "placed" if "nodeName" in held["spec"] else "waits" if waits else "unknown"

    cluster.kubectl.apply(pod)
    try:
        wait_until(lambda: state() != "unknown", "the scheduler's verdict", seconds=30)
        assert state() == ("placed" if placed else "waits")
        yield
    finally:
        cluster.kubectl.run("delete", "pod", name, "-n", namespace, "--grace-period=0", "--force")


@contextmanager
def _closed(cluster: Cluster, selector: str) -> Generator[None]:
    cluster.kubectl.run("cordon", "--selector", selector)
    try:
        yield
    finally:
        cluster.kubectl.run("uncordon", "--selector", selector)
