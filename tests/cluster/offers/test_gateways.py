"""The Gateways themselves: where their proxies run, who is let near them, and how they come and go."""

import subprocess
import threading
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.network import inside
from tests.cluster.bed.pods import Answer, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.offers.asking import APART, DEFAULT, EDGE, GATEWAYS, Caller
from tests.cluster.offers.declared import NAMESPACE

_HTTP: Final = 10080
"""The port of proxies where their Service has 80."""
_ADMIN: Final = 19000
_CONTROLLER: Final = "outbound|18000||envoy-gateway.envoy-gateway-system.svc.cluster.local"
"""What sidecars call Envoy Gateway's own port for proxies."""
_LETTING_GO: Final = "PassthroughCluster"
"""Where a sidecar sends what it does not know, if it lets it go."""


def _proxies(cluster: Cluster, gateway: str) -> list[Pod]:
    return cluster.pods(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={gateway}")


@pytest.mark.proves("nodes", "each Gateway has proxies of its own, on the nodes that it names")
@pytest.mark.parametrize(
    ("gateway", "nodes"),
    [
        (DEFAULT, {"egress-a", "egress-b"}),
        (EDGE, {"egress-a", "egress-b"}),
        (APART, {"worker-a", "worker-b"}),  # the others are tainted
    ],
)
def test_proxies_run_where_declared(offered: Cluster, gateway: str, nodes: set[str]) -> None:
    """Guards against traffic that leaves from a node whose address no firewall outside knows, and one zone for all."""
    assert {pod.node for pod in _proxies(offered, gateway)} == nodes
    own = offered.kubectl.get("gatewayclass", gateway)
    assert own["spec"]["parametersRef"]["name"] == gateway
    told = offered.kubectl.get("gateways.gateway.networking.k8s.io", gateway, NAMESPACE)
    assert told["spec"]["gatewayClassName"] == gateway


@pytest.mark.proves("north-south", "a Gateway has a load balancer only if it is declared, for the declared callers")
def test_only_the_edge_has_a_load_balancer(offered: Cluster) -> None:
    """Guards against a Service that is open to the internet, or that hides who calls behind a node's address."""
    services = {name: offered.kubectl.get("service", name, NAMESPACE) for name in GATEWAYS}
    kinds = {name: each["spec"]["type"] for name, each in services.items()}
    assert kinds == {DEFAULT: "ClusterIP", EDGE: "LoadBalancer", APART: "ClusterIP"}
    edge: dict[str, Any] = services[EDGE]
    assert edge["spec"]["loadBalancerSourceRanges"] == ["198.51.100.0/24"]
    assert edge["spec"]["externalTrafficPolicy"] == "Local"
    address_type = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type"
    assert edge["metadata"]["annotations"][address_type] == "internet"
    others = [item for item in offered.kubectl.list("services") if item["spec"]["type"] != "ClusterIP"]
    assert [item["metadata"]["name"] for item in others] == [EDGE]


@pytest.mark.proves("mesh", "sidecars of proxies take what stays in the cluster, and nothing that leaves")
def test_what_leaves_does_not_pass_the_sidecar(offered: Cluster, caller: Caller) -> None:
    """Guards against a sidecar that refuses what it does not know, or that hides from Envoy who answered."""
    way = ("--header", "x-judge: yes")
    caller.settled("http://judged-beside.example.org/", *way, gateway=EDGE)
    pods = _proxies(offered, EDGE)
    let_go = [_connections(pod, _LETTING_GO) for pod in pods]
    since, logged = offered.outside.count("vm1"), {pod.name: len(pod.log("istio-proxy")) for pod in pods}
    for _ in range(4):
        url = "http://judged-beside.example.org/past-the-sidecar"
        assert caller.curl(url, *way, gateway=EDGE).outcome == "200"
    seen = offered.outside.seen("vm1", since=since, event="request", path="/past-the-sidecar")
    assert len(seen) == 4
    assert {each["peer"] for each in seen} <= {pod.address for pod in pods}
    assert [_connections(pod, _LETTING_GO) for pod in pods] == let_go
    assert not any("past-the-sidecar" in pod.log("istio-proxy")[logged[pod.name] :] for pod in pods)


def _connections(pod: Pod, cluster: str) -> int:
    """How many connections a sidecar has made to what it calls so."""
    told = [line.split("::") for line in pod.admin("clusters").splitlines()]
    return sum(int(line[-1]) for line in told if (line[0], line[-2]) == (cluster, "cx_total"))


@pytest.mark.proves("mesh", "proxies with a sidecar hear of their controller through it")
def test_the_controller_is_reached_through_the_sidecar(offered: Cluster) -> None:
    """Guards against a sidecar that takes Envoy Gateway's TLS for plain gRPC: its proxies would never start."""
    service = offered.kubectl.get("service", "envoy-gateway", NAMESPACE)
    (port,) = [each for each in service["spec"]["ports"] if each["port"] == 18000]
    assert port["appProtocol"] == "tls"
    for pod in _proxies(offered, EDGE):
        assert _connections(pod, _CONTROLLER) >= 1
        assert "control_plane.connected_state: 1" in pod.admin(
            "stats?filter=control_plane.connected_state", "envoy", _ADMIN
        )


@pytest.mark.proves("mesh", "only proxies that are declared so, and nothing else of Envoy Gateway, have a sidecar")
def test_nothing_else_has_a_sidecar(offered: Cluster) -> None:
    """Guards against a sidecar in Helm's hook, which would never end, or in a controller that has TLS of its own."""
    with_sidecar: set[str] = set()
    for item in offered.kubectl.list("pods", NAMESPACE):
        spec = item["spec"]
        if "istio-proxy" in {each["name"] for each in (*spec.get("initContainers", ()), *spec["containers"])}:
            with_sidecar.add(item["metadata"]["labels"].get("gateway.envoyproxy.io/owning-gateway-name", "?"))
    assert with_sidecar == {EDGE}
    # The Job of the hook is gone by now; that the release is there says that it ended, and so does what it made.
    for name in ("envoy-gateway", "envoy"):
        assert offered.kubectl.get("secret", name, NAMESPACE)["data"].keys() >= {"ca.crt", "tls.crt", "tls.key"}
    assert 'sidecar.istio.io/inject: "false"' in _hook(offered)
    # Each folder that a pod had on a node is still there, with a log of each container.
    hooks = list((offered.folder / "pods").glob(f"{NAMESPACE}_envoy-gateway-*certgen-*"))
    assert hooks
    assert {log.stem for pod in hooks for log in (pod / "logs").iterdir()} == {"envoy-gateway-certgen"}


def _hook(offered: Cluster) -> str:
    """The hook of the release that makes certificates, as Helm ran it last."""
    command = ["helm", "get", "hooks", "envoy-gateway", "--namespace", NAMESPACE]
    done = subprocess.run(
        [*inside(offered.network.nodes), *command],
        env=offered.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return next(each for each in done.stdout.split("\n---\n") if "kind: Job" in each)


@pytest.mark.proves("posture", "the admin interface of proxies tells metrics, and nothing that opens or ends them")
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_admin_interface_is_closed(offered: Cluster, probe: Pod, gateway: str) -> None:
    """Guards against a helper, or whoever breaks into a pod, that reads keys or ends the proxy."""
    for pod in _proxies(offered, gateway):
        asked = {
            path: _status(pod, f"http://127.0.0.1:{_ADMIN}{path}", *arguments)
            for path, arguments in {
                "/config_dump": (),
                "/certs": (),
                "/clusters": (),
                "/stats": (),
                "//config_dump": (),
                "/stats/../config_dump": ("--path-as-is",),
                "/stats/prometheus/../../certs": ("--path-as-is",),
                "/quitquitquit": ("--request", "POST"),
                "/logging?level=trace": ("--request", "POST"),
                "/stats/prometheus": (),
            }.items()
        }
        assert asked == {path: "200" if path == "/stats/prometheus" else "403" for path in asked}
        for path in ("/stats/prometheus", "/config_dump", "/certs"):
            outcome = probe.curl(f"http://{pod.address}:19001{path}").outcome
            assert outcome == ("200" if path == "/stats/prometheus" else "404"), path
        assert probe.curl(f"http://{pod.address}:{_ADMIN}/stats/prometheus").exit_code != 0


def _status(pod: Pod, url: str, *arguments: str) -> str:
    shown = ("--silent", "--output", "/dev/null", "--write-out", "%{http_code}")
    return pod.run("curl", *shown, *arguments, url, container="envoy", user=1337).stdout


@pytest.mark.proves("faults", "a proxy that goes ends what it has begun")
def test_a_proxy_that_goes_is_drained(offered: Cluster, probe: Pod, caller: Caller) -> None:
    """Guards against requests that are cut off by an upgrade, and a proxy that cannot see when it may go."""
    going, *_ = _proxies(offered, DEFAULT)
    at = f"http://copies.example.org:{_HTTP}"
    to = ("--resolve", f"copies.example.org:{_HTTP}:{going.address}")
    assert probe.curl(f"{at}/before", *to).outcome == "200"
    since = offered.outside.count("vm2")
    told: list[Answer] = []
    slow = threading.Thread(target=lambda: told.append(probe.curl(f"{at}/wait/5", *to)))
    slow.start()
    wait_until(lambda: offered.outside.seen("vm2", since=since, path="/wait/5") != [], "the slow request")
    offered.kubectl.run("delete", "pod", going.name, "-n", NAMESPACE, "--wait=false")
    others: set[str] = set()
    while slow.is_alive():
        others.add(caller.curl("http://copies.example.org/meanwhile").outcome)
    slow.join()
    assert [each.outcome for each in told] == ["200"]
    assert others == {"200"}
    wait_until(
        lambda: "drain sequence" in going.log("shutdown-manager").partition("initiating")[2],
        "the end of the drain",
        why_not=lambda: going.log("shutdown-manager"),
    )
    assert "error" not in going.log("shutdown-manager").partition("initiating")[2]
    wait_until(lambda: len(_proxies(offered, DEFAULT)) == 2, "another proxy")
    offered.wait_ready(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={DEFAULT}")
