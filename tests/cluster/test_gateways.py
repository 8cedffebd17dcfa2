"""A second egress gateway: on nodes of its own, for its own destination, by load, and drained when a pod goes."""

import functools
import subprocess
import threading
import time
from collections.abc import Generator
from typing import Any, Final

import pytest
import yaml

from tests.cluster.bed import addons
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stack import Stack

PARTNERS: Final = ("istio-egress", "app=egress-gateway-partners")
"""Namespace and selector of the second gateway's pods."""
_DRAIN: Final = 24
"""Seconds; more than the five after which pilot-agent cuts connections by default."""
_GATEWAY: Final[dict[str, Any]] = {
    "nodes": {
        "mode": "existing",
        "labels": {"role": "partners"},
        "taints": {"dedicated": {"value": "partners", "effect": "NoSchedule"}},
    },
    "autoscaling": {"minReplicas": 2, "maxReplicas": 3},
    "drainSeconds": _DRAIN,
}
_DESTINATION: Final[dict[str, Any]] = {
    "hosts": ["api.example.org"],
    "ports": {"http": {"port": 80, "protocol": "HTTP"}, "https": {"port": 443, "protocol": "TLS"}},
    "clients": {"news": {"serviceAccounts": ["other"]}},
    "cidrs": ["54.1.2.4/32"],
    "gateway": "partners",
    "owner": "team-news",
    "ticket": "FW-1046",
    "expires": "2029-12-31",
}


def _declare(stack: Stack) -> None:
    values = yaml.safe_load(stack.file.read_text(encoding="utf-8"))
    values["config"]["cluster-egress:egress"]["mesh"]["gateways"] = {"partners": _GATEWAY}
    values["config"]["cluster-egress:destinations"]["partner"] = _DESTINATION
    stack.file.write_text(yaml.safe_dump(values), encoding="utf-8")


@pytest.fixture(scope="module")
def partners(cluster: Cluster, client: Client) -> Generator[list[Pod]]:
    """The pods of a second gateway, on two nodes that only it may use."""
    taints = [{"key": "dedicated", "value": "partners", "effect": "NoSchedule"}]
    number = len(cluster.kubectl.list("nodes"))
    nodes = [
        addons.node(f"partners-{zone[-1]}", zone, number + index, {"role": "partners"}, taints)
        for index, zone in enumerate(addons.ZONES)
    ]
    for node in nodes:
        cluster.kubectl.run("create", "-f", "-", text=yaml.safe_dump(node))
    stack = cluster.stack("dev", "partners")
    _declare(stack)
    with cluster.changed_to(stack, "partners-manifests"):
        # The chart states no number beside an autoscaler, and so Kubernetes begins with one pod.
        wait_until(lambda: len(cluster.pods(*PARTNERS)) == 2, "the autoscaler to see to two pods", seconds=90)
        cluster.wait_ready(*PARTNERS)
        other = client("news", "other")
        for scheme in ("http", "https"):
            wait_until(lambda s=scheme: other.curl(f"{s}://api.example.org/").outcome == "200", "the second gateway")
        yield cluster.pods(*PARTNERS)
    for node in nodes:
        cluster.kubectl.run("delete", "node", node["metadata"]["name"])


@pytest.mark.proves("nodes", "a further gateway is on its own nodes, in all their zones", kinds=("Release.helm.sh",))
def test_a_further_gateway_is_on_its_own_nodes(cluster: Cluster, partners: list[Pod]) -> None:
    """Guards against two gateways that share their nodes, and so their addresses."""
    assert {pod.node for pod in partners} == {"partners-a", "partners-b"}
    assert {pod.node for pod in cluster.pods(*EGRESS_GATEWAYS)} == {"egress-a", "egress-b"}


@pytest.mark.proves("nodes", "an autoscaler sees to a gateway's least number of pods, and a budget watches them")
@pytest.mark.usefixtures("partners")
def test_the_autoscaler_sees_to_the_pods(cluster: Cluster) -> None:
    """Guards against an autoscaler of another Deployment, or one that a fixed number works against."""
    (scaler,) = cluster.kubectl.list("horizontalpodautoscalers", "istio-egress")
    assert scaler["spec"]["scaleTargetRef"]["name"] == "egress-gateway-partners"
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 3)
    assert scaler["status"]["desiredReplicas"] == 2
    budget = cluster.kubectl.get("poddisruptionbudget", "egress-gateway-partners", "istio-egress")
    assert budget["spec"]["maxUnavailable"] == 1


@pytest.mark.proves("mesh", "a destination leaves through the gateway that it names, and through no other")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_destination_leaves_through_its_own_gateway(
    cluster: Cluster, client: Client, partners: list[Pod], scheme: str
) -> None:
    """Guards against traffic from addresses that the partner's firewall does not know."""
    since = cluster.outside.count("api")
    assert client("news", "other").curl(f"{scheme}://api.example.org/own").outcome == "200"
    (seen,) = cluster.outside.seen("api", since=since, event="request", path="/own")
    assert seen["peer"] in {pod.address for pod in partners}
    since = cluster.outside.count("cnn")
    assert client("news", "reader").curl(f"{scheme}://edition.cnn.com/own").outcome == "200"
    (seen,) = cluster.outside.seen("cnn", since=since, event="request", path="/own")
    assert seen["peer"] in {pod.address for pod in cluster.pods(*EGRESS_GATEWAYS)}


@pytest.mark.proves("mesh", "a destination leaves through the gateway that it names, and through no other")
def test_no_gateway_has_a_way_of_another(cluster: Cluster, partners: list[Pod]) -> None:
    """Guards against a selector that gives both gateways the listeners and routes of both."""
    for pods, own, others in (
        (partners, "api.example.org", "edition.cnn.com"),
        (cluster.pods(*EGRESS_GATEWAYS), "edition.cnn.com", "api.example.org"),
    ):
        for pod in pods:
            assert all(own in each for each in _configuration(pod))
            # Listeners of an earlier stack are drained for 45 s, and are in the dump so long.
            gone = functools.partial(_has_nothing_of, pod, others)
            wait_until(gone, f"{pod.name} without {others}", seconds=90)


def _configuration(pod: Pod) -> list[str]:
    """The listeners and routes of a gateway's Envoy."""
    return [pod.admin(f"config_dump?resource={kind}") for kind in ("dynamic_listeners", "dynamic_route_configs")]


def _has_nothing_of(pod: Pod, host: str) -> bool:
    return all(host not in each for each in _configuration(pod))


@pytest.mark.proves("mesh", "another account, and another namespace, is refused by a further gateway")
@pytest.mark.usefixtures("partners")
def test_the_second_gateway_refuses_others(cluster: Cluster, client: Client) -> None:
    """Guards against a default deny that holds for the first gateway only."""
    since = cluster.outside.count("api")
    assert client("news", "reader").curl("http://api.example.org/others").outcome == "403"
    assert client("news", "reader").curl("https://api.example.org/others").exit_code != 0
    assert client("shop", "storefront").curl("http://api.example.org/others").outcome == "502"
    assert cluster.outside.seen("api", since=since, event="request") == []


@pytest.mark.proves(
    "faults", "a gateway's pod that goes keeps open connections for the declared time, and idle ones go"
)
def test_a_pod_that_goes_is_drained(cluster: Cluster, client: Client, partners: list[Pod]) -> None:
    """Guards against pilot-agent's default, which cuts connections after five seconds, and idle pods that stay."""
    other = client("news", "other")
    for number in range(6):  # so that both pods have idle connections of the sidecar's pool
        assert other.curl(f"http://api.example.org/idle-{number}").outcome == "200"
    told: list[str] = []
    since = cluster.outside.count("api")
    holder = threading.Thread(target=lambda: told.extend(_hold(other, seconds=2 * _DRAIN)))
    holder.start()
    wait_until(lambda: _held(cluster, since) >= 2, "the long connection")
    peer = cluster.outside.seen("api", since=since, event="request")[0]["peer"]
    (busy,) = (pod for pod in partners if pod.address == peer)
    (idle,) = (pod for pod in partners if pod.address != peer)
    asked = _held(cluster, since)
    began = time.monotonic()
    for pod in (busy, idle):
        cluster.kubectl.run("delete", "pod", pod.name, "-n", pod.namespace, "--wait=false")
    ended = {pod.name: _seconds_until_gone(cluster, pod, began) for pod in (idle, busy)}
    holder.join()
    assert 5 <= ended[idle.name] < _DRAIN / 2
    assert _DRAIN <= ended[busy.name] < _DRAIN + 8
    connections = [line.partition(" ")[0] for line in told]
    assert {line.partition(" ")[2] for line in told} == {"200"}
    # One request a second, so requests are seconds; the last of them may meet the end.
    assert "1" not in connections[1 : asked + _DRAIN - 3], told
    assert connections.count("1") == 2, told


def _hold(pod: Pod, *, seconds: int) -> list[str]:
    """Ask once a second, on one connection while it lasts: of each request, new connections and status."""
    command = ("curl", "--silent", "--output", "/dev/null", "--cacert", "/etc/outside/ca.pem", "--rate", "60/m")
    shown = ("--write-out", "%{num_connects} %{response_code}\\n")
    try:
        return pod.run(
            *command, *shown, f"https://api.example.org/hold-[1-{seconds}]", seconds=3 * seconds
        ).stdout.splitlines()
    except subprocess.TimeoutExpired:
        return ["it did not end"]


def _held(cluster: Cluster, since: int) -> int:
    """How many requests of `_hold` the host has seen."""
    return sum(line["path"].startswith("/hold-") for line in cluster.outside.seen("api", since=since, event="request"))


def _seconds_until_gone(cluster: Cluster, pod: Pod, began: float) -> float:
    """How long after `began` the API server has a pod no more."""

    def gone() -> bool:
        return cluster.kubectl.run("get", "pod", pod.name, "-n", pod.namespace, check=False).returncode != 0

    wait_until(gone, f"the end of {pod.name}", seconds=3 * _DRAIN)
    return time.monotonic() - began
