"""What goes through the egress gateway, and what does not, in the sidecars', the gateway's and the hosts' own words."""

from typing import Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until

_CUT_OFF: Final = {35, 52, 56}
"""Of curl, for a connection that was made and ended by the other side: in TLS, without an answer, while receiving."""
CNN = "edition.cnn.com"
CLIENTS = [("news", "reader"), ("shop", "storefront")]


@pytest.mark.proves(
    "mesh", "pods of client namespaces get a sidecar, by a label that we set in place", kinds=("NamespacePatch",)
)
@pytest.mark.parametrize(("namespace", "name", "joins"), [("news", "reader", True), ("monitoring", "probe", False)])
def test_client_namespaces_are_in_the_mesh(cluster: Cluster, namespace: str, name: str, joins: bool) -> None:
    """Guards against a label that the injector does not heed, and against sidecars that nobody asked for."""
    spec = cluster.kubectl.get("pod", name, namespace)["spec"]
    names = {container["name"] for container in [*spec["containers"], *spec.get("initContainers", [])]}
    assert ("istio-proxy" in names) == joins


def _gateways(cluster: Cluster) -> list[Pod]:
    return cluster.pods(*EGRESS_GATEWAYS)


def _logged(cluster: Cluster, path: str) -> bool:
    return any(path in pod.log("istio-proxy") for pod in _gateways(cluster))


@pytest.mark.proves(
    "mesh",
    "a declared client reaches a declared host by HTTP, through the egress gateway",
    kinds=(
        "ServiceEntry.networking.istio.io",
        "VirtualService.networking.istio.io",
        "Gateway.networking.istio.io",
        "DestinationRule.networking.istio.io",
        "Release.helm.sh",
    ),
)
@pytest.mark.parametrize(("namespace", "name"), CLIENTS)
def test_declared_client_reaches_the_host_by_http(cluster: Cluster, client: Client, namespace: str, name: str) -> None:
    """Guards against a plan that every control plane accepts and that carries nothing, or around the gateway."""
    since = cluster.outside.count("cnn")
    path = f"/declared-{namespace}"
    answer = client(namespace, name).curl(f"http://{CNN}{path}")
    assert answer.outcome == "200"
    (request,) = cluster.outside.seen("cnn", since=since, event="request", path=path)
    assert request["peer"] in {pod.address for pod in _gateways(cluster)}
    wait_until(lambda: _logged(cluster, path), "the gateway's access log", seconds=15)


@pytest.mark.proves("mesh", "a declared client reaches a declared host by TLS that is passed through")
@pytest.mark.parametrize(("namespace", "name"), CLIENTS)
def test_declared_client_reaches_the_host_by_tls(cluster: Cluster, client: Client, namespace: str, name: str) -> None:
    """Guards against a gateway that ends the client's TLS: curl checks the host's own certificate."""
    since = cluster.outside.count("cnn")
    logged = {pod.name: len(pod.log("istio-proxy")) for pod in _gateways(cluster)}
    path = f"/tls-{namespace}"
    answer = client(namespace, name).curl(f"https://{CNN}{path}")
    assert answer.outcome == "200"
    (request,) = cluster.outside.seen("cnn", since=since, event="request", path=path, protocol="https")
    assert request["sni"] == CNN
    wait_until(
        lambda: any(
            line["upstream_cluster"] == f"outbound|443||{CNN}"
            for pod in _gateways(cluster)
            for line in pod.access_log("istio-proxy", logged[pod.name])
        ),
        "the gateway's access log",
        seconds=15,
    )
    assert request["peer"] in {pod.address for pod in _gateways(cluster)}


@pytest.mark.proves("mesh", "the gateway counts what goes through it")
@pytest.mark.parametrize(("scheme", "port", "counter"), [("http", 80, "rq_total"), ("https", 443, "cx_total")])
def test_the_gateway_counts(cluster: Cluster, client: Client, scheme: str, port: int, counter: str) -> None:
    """Guards against a way out that no counter, and so no alert, belongs to."""
    before = _counted(cluster, port, counter)
    for number in range(3):
        assert client("news", "reader").curl(f"{scheme}://{CNN}/count-{number}").outcome == "200"
    assert _counted(cluster, port, counter) == before + 3


def _counted(cluster: Cluster, port: int, counter: str) -> int:
    """The sum over all gateways of a counter of what goes to the host."""
    lines = [line for pod in _gateways(cluster) for line in pod.admin("clusters").splitlines()]
    found = [line.split("::") for line in lines if line.startswith(f"outbound|{port}||{CNN}::151.101.1.67:{port}::")]
    return sum(int(value) for _, _, name, value in found if name == counter)


@pytest.mark.proves(
    "mesh",
    "another service account and another namespace are refused",
    kinds=("AuthorizationPolicy.security.istio.io",),
)
@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [("news", "other", {"403"}), ("elsewhere", "reader", {"502"})],
    ids=["another-account", "another-namespace"],
)
def test_others_are_refused_by_http(
    cluster: Cluster, client: Client, namespace: str, name: str, expected: set[str]
) -> None:
    """Guards against a permission that is wider than the declaration: by namespace, or for the whole mesh."""
    since = cluster.outside.count("cnn")
    assert client(namespace, name).curl(f"http://{CNN}/others").outcome in expected
    assert cluster.outside.seen("cnn", since=since, event="request") == []


@pytest.mark.proves(
    "mesh",
    "another service account and another namespace are refused",
    kinds=("AuthorizationPolicy.security.istio.io",),
)
@pytest.mark.parametrize(("namespace", "name"), [("news", "other"), ("elsewhere", "reader")])
def test_others_are_refused_by_tls(cluster: Cluster, client: Client, namespace: str, name: str) -> None:
    """As above, where no HTTP status can tell."""
    since = cluster.outside.count("cnn")
    assert client(namespace, name).curl(f"https://{CNN}/others").exit_code != 0
    assert cluster.outside.seen("cnn", since=since, event="request") == []


@pytest.mark.proves(
    "mesh",
    "an undeclared host is refused at the sidecar, by name and by address",
    kinds=("Sidecar.networking.istio.io",),
)
@pytest.mark.parametrize(
    "url",
    [
        "http://undeclared.example.com/",
        "https://undeclared.example.com/",
        "http://54.1.2.3/",
        "https://54.1.2.3/",
        "http://undeclared.example.com:5432/",
        "http://172.139.20.181:17000/",
        f"http://{CNN}:8080/",
        f"https://{CNN}:80/",
    ],
)
def test_undeclared_is_refused(cluster: Cluster, client: Client, url: str) -> None:
    """Guards against a mesh that lets out what nobody declared."""
    hosts = ("undeclared", "n9e1", "cnn")
    since = {host: cluster.outside.count(host) for host in hosts}
    answer = client("news", "reader").curl(url)
    assert answer.outcome == "502" or answer.exit_code != 0
    for host in hosts:
        assert cluster.outside.seen(host, since=since[host]) == []


@pytest.mark.proves(
    "mesh",
    "what is refused stands in the client's log, with the host that was asked for",
    kinds=("Telemetry.telemetry.istio.io",),
)
def test_undeclared_is_logged(cluster: Cluster, client: Client) -> None:
    """Guards against a refusal that nobody can find: the operator asks `who asked for what`."""
    reader = client("news", "reader")
    since = len(reader.log("istio-proxy"))
    reader.curl("http://undeclared.example.com/logged")
    reader.curl("https://undeclared.example.com/logged")

    def told() -> bool:
        lines = reader.access_log("istio-proxy", since)
        plain = any(line.get("authority") == "undeclared.example.com" for line in lines)
        return plain and any(line.get("requested_server_name") == "undeclared.example.com" for line in lines)

    wait_until(told, "both refusals in the sidecar's log", seconds=20)


@pytest.mark.proves("mesh", "the hosts outside learn nothing about the cluster from headers")
def test_the_outside_learns_nothing_of_the_inside(cluster: Cluster, client: Client) -> None:
    """Guards against pod addresses, identities and certificates in headers that leave."""
    since = cluster.outside.count("cnn")
    forged = ("--header", "x-forwarded-for: 10.244.9.9", "--header", "x-envoy-peer-metadata: secret")
    assert client("news", "reader").curl(f"http://{CNN}/headers", *forged).outcome == "200"
    (request,) = cluster.outside.seen("cnn", since=since, event="request", path="/headers")
    assert set(request["headers"]) == {"host", "user-agent", "accept", "x-request-id"}


@pytest.mark.proves("mesh", "straight to the gateway, nobody passes without a certificate of the mesh")
@pytest.mark.parametrize(
    "arguments",
    [
        ("http://egress-gateway.istio-egress.svc.cluster.local/", "--header", f"host: {CNN}"),
        ("https://egress-gateway.istio-egress.svc.cluster.local:80/", "--insecure", "--header", f"host: {CNN}"),
        (f"https://{CNN}:443/", "--insecure", "--connect-to", f"{CNN}:443:egress-gateway.istio-egress.svc:LANE"),
    ],
    ids=["plain", "tls-without-certificate", "lane-without-certificate"],
)
def test_the_gateway_takes_nobody_without_a_certificate(
    cluster: Cluster, client: Client, arguments: tuple[str, ...]
) -> None:
    """Guards against a gateway that serves whoever reaches its ports: here the one who goes around its sidecar."""
    since = cluster.outside.count("cnn")
    lane = next(item for key, item in cluster.applied.objects().items() if key[0] == "Gateway.v1.networking.istio.io")
    number = str(
        next(server["port"]["number"] for server in lane["spec"]["servers"] if server["port"]["protocol"] == "TLS")
    )
    url, *more = (word.replace("LANE", number) for word in arguments)
    for answer in (
        client("news", "reader").curl_past_sidecar(url, *more),
        client("monitoring", "probe").curl(url, *more),
    ):
        assert answer.exit_code in _CUT_OFF, answer
    assert cluster.outside.seen("cnn", since=since, event="request") == []


@pytest.mark.proves("mesh", "the gateway's ports are known to client namespaces only, and lead to declared hosts only")
def test_the_gateway_leads_nowhere_else(cluster: Cluster, client: Client) -> None:
    """Guards against a gateway that a client of another host, or another namespace, can use by its own name."""
    since = cluster.outside.count("undeclared")
    url = "http://egress-gateway.istio-egress.svc.cluster.local/"
    for host in ("undeclared.example.com", CNN):
        assert client("elsewhere", "reader").curl(url, "--header", f"host: {host}").outcome != "200"
    assert client("news", "reader").curl(url, "--header", "host: undeclared.example.com").outcome != "200"
    assert cluster.outside.seen("undeclared", since=since) == []
    services = client("elsewhere", "reader").admin("clusters")
    assert "istio-egress" not in services
    assert "istio-egress" in client("news", "reader").admin("clusters")
