"""The flavour `gateway-api` on the bed: the same destinations, and istiod makes their way of Gateway API objects."""

from collections.abc import Generator, Mapping
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.gateway_api import SECOND, authority, change

_CNN: Final = "edition.cnn.com"
_API: Final = "api.example.org"
_KINDS: Final = {
    "Gateway": {"Accepted", "Programmed"},
    "HTTPRoute": {"Accepted", "ResolvedRefs"},
    "GRPCRoute": {"Accepted", "ResolvedRefs"},
    "TLSRoute": {"Accepted", "ResolvedRefs"},
    "TCPRoute": {"Accepted", "ResolvedRefs"},
}
"""The conditions that must be true, by kind."""


@pytest.fixture(scope="module", autouse=True)
def by_gateway_api(cluster: Cluster, client: Client) -> Generator[None]:
    """The cluster with the flavour `gateway-api`, once every way works, and back."""
    stack = cluster.stack("dev", "gateway-api")
    change(stack)
    cluster.kubectl.apply(authority(cluster))
    with cluster.changed_to(stack, "gateway-api-manifests"):
        for account, url in (
            ("reader", f"http://{_CNN}/"),
            ("reader", f"https://{_CNN}/"),
            ("other", f"https://{_API}/"),
        ):
            pod = client("news", account)
            wait_until(
                lambda pod=pod, url=url: pod.curl(url).outcome == "200",
                f"{account} to reach {url}",
                seconds=60,
                why_not=lambda: "\n".join(_untrue(cluster)) or "every condition is true",
            )
        yield
    wait_until(lambda: client("news", "reader").curl(f"http://{_CNN}/").outcome == "200", "the way back")


def _gateways(cluster: Cluster) -> set[str]:
    return {pod.address for pod in cluster.pods(*EGRESS_GATEWAYS)}


def _untrue(cluster: Cluster) -> list[str]:
    """Conditions of our objects that are not true, or not there."""
    told: list[str] = []
    for kind, needed in _KINDS.items():
        for item in cluster.kubectl.list(f"{kind}.v1.gateway.networking.k8s.io", "istio-egress"):
            name, status = item["metadata"]["name"], item.get("status", {})
            lists = [each["conditions"] for each in status.get("parents", [])]
            lists += [status["conditions"]] if "conditions" in status else []
            told += [] if lists else [f"{kind} {name}: nobody has spoken"]
            for conditions in lists:
                told += [
                    f"{kind} {name}: {each['type']}: {each['message']}"
                    for each in conditions
                    if each["type"] in needed and each["status"] != "True"
                ]
    return told


@pytest.mark.proves("gateway-api", "istiod accepts every Gateway and route, and resolves what they refer to")
def test_every_object_is_accepted(cluster: Cluster) -> None:
    """Guards against routes that the API server stores and istiod leaves out."""
    wait_until(lambda: _untrue(cluster) == [], "every condition", why_not=lambda: "\n".join(_untrue(cluster)))
    for kind in _KINDS:
        assert cluster.kubectl.list(f"{kind}.v1.gateway.networking.k8s.io", "istio-egress"), kind


@pytest.mark.proves(
    "gateway-api",
    "a declared client reaches a declared host by HTTP and TLS, through the egress gateway",
    kinds=(
        "Gateway.gateway.networking.k8s.io",
        "HTTPRoute.gateway.networking.k8s.io",
        "TCPRoute.gateway.networking.k8s.io",
        "TLSRoute.gateway.networking.k8s.io",
    ),
)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("namespace", "name"), [("news", "reader"), ("shop", "storefront")])
def test_declared_client_reaches_the_host(
    cluster: Cluster, client: Client, scheme: str, namespace: str, name: str
) -> None:
    """Guards against routes that carry nothing, or lead around the gateway."""
    since, path = cluster.outside.count("cnn"), f"/by-gateway-api-{scheme}-{namespace}"
    pod = client(namespace, name)
    wait_until(lambda: pod.curl(f"{scheme}://{_CNN}{path}").outcome == "200", "an answer", seconds=30)
    seen = cluster.outside.seen("cnn", since=since, event="request", path=path, protocol=scheme)
    assert seen
    assert {request["peer"] for request in seen} <= _gateways(cluster)


@pytest.mark.proves(
    "gateway-api", "another service account and another namespace are refused, by HTTP, gRPC, TLS and TCP"
)
def test_others_are_refused(cluster: Cluster, client: Client) -> None:
    """Guards against a port of the gateway that is open to whoever has a certificate of the mesh."""
    hosts = ("cnn", "api")
    since = {host: cluster.outside.count(host) for host in hosts}
    other, reader, stranger = client("news", "other"), client("news", "reader"), client("elsewhere", "reader")
    assert other.curl(f"http://{_CNN}/").outcome == "403"
    assert reader.curl(f"http://{_API}:8080/").outcome == "403"
    assert "grpc-status: 0" not in _call(reader)
    for pod, url in ((other, f"https://{_CNN}/"), (reader, f"https://{_API}/")):
        assert pod.curl(url).exit_code != 0
    assert reader.curl(f"http://{_API}/").exit_code != 0  # by TCP, to a host that waits to be spoken to
    assert stranger.curl(f"http://{_CNN}/").outcome == "502"
    assert stranger.curl(f"https://{_CNN}/").exit_code != 0
    for host in hosts:
        assert cluster.outside.seen(host, since=since[host], event="request") == []


@pytest.mark.proves("gateway-api", "an undeclared host, and an undeclared port of a declared one, are refused")
@pytest.mark.parametrize(
    "url",
    [
        "http://undeclared.example.com/",
        "https://undeclared.example.com/",
        "http://54.1.2.3/",
        f"http://{_CNN}:8080/",
        f"https://{_API}:50051/",
    ],
)
def test_undeclared_is_refused(cluster: Cluster, client: Client, url: str) -> None:
    """Guards against a mesh that lets out what nobody declared."""
    hosts = ("undeclared", "cnn", "api")
    since = {host: cluster.outside.count(host) for host in hosts}
    answer = client("news", "other").curl(url)
    assert answer.outcome in {"502", "404", "403", "503"} or answer.exit_code != 0
    for host in hosts:
        assert cluster.outside.seen(host, since=since[host], event="request") == []


@pytest.mark.proves(
    "gateway-api",
    "a declared client reaches a declared host by gRPC",
    kinds=("GRPCRoute.gateway.networking.k8s.io",),
)
def test_grpc_goes_through_the_gateway(cluster: Cluster, client: Client) -> None:
    """Guards against HTTP/2 that is spoken to the gateway and not beyond it."""
    since = cluster.outside.count("api")
    wait_until(lambda: "grpc-status: 0" in _call(client("news", "other")), "an answer by gRPC", seconds=30)
    seen = cluster.outside.seen("api", since=since, event="request", protocol="grpc")
    assert {request["peer"] for request in seen} <= _gateways(cluster)
    assert {request["path"] for request in seen} == {"/bed.Api/Ask"}


@pytest.mark.proves("gateway-api", "a declared client reaches a declared host by TCP, through a port of its own")
def test_tcp_goes_through_the_gateway(cluster: Cluster, client: Client) -> None:
    """Guards against TCP that leaves from the client's own address."""
    other = client("news", "other")
    wait_until(lambda: _tcp(other) != "", "an answer by TCP", seconds=30)
    assert _tcp(other).removeprefix("api saw ").strip() in _gateways(cluster)
    assert other.curl(f"http://{_API}/").body.removeprefix("api saw ").strip() in _gateways(cluster)


@pytest.mark.proves(
    "gateway-api", "TLS starts at the gateway: HTTP inside, the host hears its own name and verified TLS"
)
def test_tls_starts_at_the_gateway(cluster: Cluster, client: Client) -> None:
    """Guards against plain text outside, and against a way around the gateway by the number of the TLS side."""
    since, url = cluster.outside.count("api"), f"http://{_API}:8080/originated"
    wait_until(lambda: client("news", "other").curl(url).outcome == "200", "an answer", seconds=30)
    (request, *_) = cluster.outside.seen("api", since=since, event="request", path="/originated")
    assert (request["protocol"], request["sni"]) == ("https", _API)
    assert request["peer"] in _gateways(cluster)
    assert set(request["headers"]) == {"host", "user-agent", "accept", "x-request-id"}


@pytest.mark.proves("gateway-api", "straight to the gateway, nobody passes without a certificate of the mesh")
def test_the_gateway_takes_nobody_without_a_certificate(cluster: Cluster, client: Client) -> None:
    """Guards against a listener that serves whoever reaches its port: here the one who goes around its sidecar."""
    since = cluster.outside.count("cnn")
    reader = client("news", "reader")
    for port in _open_ports(cluster):
        plain = reader.curl_past_sidecar(f"http://egress-gateway.istio-egress.svc:{port}/", "--header", f"host: {_CNN}")
        assert plain.exit_code != 0
        connect = ("--connect-to", f"{_CNN}:443:egress-gateway.istio-egress.svc:{port}")
        assert reader.curl_past_sidecar(f"https://{_CNN}/", "--insecure", *connect).exit_code != 0
    assert cluster.outside.seen("cnn", since=since, event="request") == []


@pytest.mark.proves("gateway-api", "istiod deploys a gateway on its node's network: placement, number, budget, Service")
def test_a_gateway_on_its_nodes_network_is_deployed(cluster: Cluster) -> None:
    """Guards against patches that istiod's template does not take; the bed's pods have networks of their own."""

    def deployed() -> bool:
        return any(item["metadata"]["name"] == SECOND for item in cluster.kubectl.list("deployments", "istio-egress"))

    wait_until(deployed, "istiod's Deployment", seconds=60)
    first, second = (cluster.kubectl.get("deployment", name, "istio-egress") for name in ("egress-gateway", SECOND))
    pods = [each["spec"]["template"]["spec"] for each in (first, second)]
    assert pods[0]["nodeSelector"] == pods[1]["nodeSelector"]
    assert pods[0]["tolerations"] == pods[1]["tolerations"]
    assert (pods[1]["hostNetwork"], pods[1]["dnsPolicy"]) == (True, "ClusterFirstWithHostNet")
    assert pods[1].get("securityContext", {}) == {}
    assert second["spec"]["replicas"] == 2
    assert second["spec"]["template"]["metadata"]["labels"]["app"] == SECOND
    budget = cluster.kubectl.get("poddisruptionbudget", SECOND, "istio-egress")
    assert budget["spec"]["maxUnavailable"] == 1
    service = cluster.kubectl.get("service", SECOND, "istio-egress")
    assert service["spec"]["type"] == "ClusterIP"
    assert "news" in service["metadata"]["annotations"]["networking.istio.io/exportTo"]


def _open_ports(cluster: Cluster) -> list[int]:
    gateways: list[Mapping[str, Any]] = [
        item
        for key, item in cluster.applied.objects().items()
        if key[:2] == ("Gateway.v1.gateway.networking.k8s.io", "istio-egress")
    ]
    pointed = [gateway for gateway in gateways if "addresses" in gateway["spec"]]
    ports = [listener["port"] for gateway in pointed for listener in gateway["spec"]["listeners"]]
    assert ports
    return ports


def _tcp(pod: Pod) -> str:
    """What the host says first on a bare connection; nothing if there was none."""
    return pod.curl(f"http://{_API}:5432/", "--http0.9", seconds=5).body


def _call(pod: Pod) -> str:
    return pod.call(f"http://{_API}:50051/bed.Api/Ask")
