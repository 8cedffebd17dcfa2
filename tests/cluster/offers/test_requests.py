"""What callers send to be treated as somebody else, or to get past routes; and callers whose pods are in the mesh."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Client
from tests.cluster.bed.processes import wait_until
from tests.cluster.offers.asking import DEFAULT, EDGE, Caller
from tests.cluster.offers.declared import NAMESPACE
from tests.cluster.offers.watching import paths

_ANYWHERE = "198.51.100.1"
"""An address at which nobody is: a sidecar goes by the name."""


def _seen(offered: Cluster, since: int, path: str) -> list[Mapping[str, Any]]:
    return offered.outside.seen("vm1", since=since, event="request", path=path)


@pytest.mark.proves("north-south", "headers that only proxies may write do not get past the Gateway")
@pytest.mark.parametrize("gateway", [DEFAULT, EDGE])
def test_forged_headers_do_nothing(offered: Cluster, caller: Caller, gateway: str) -> None:
    """Guards against a caller who sets timeouts and retries, says whose certificate it has, or learns of the inside."""
    host = {DEFAULT: "web", EDGE: "judged-beside"}[gateway]
    url = {DEFAULT: f"https://{host}.example.org", EDGE: f"http://{host}.example.org"}[gateway]
    forged = {
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-max-retries": "9",
        "x-envoy-retry-on": "5xx",
        "x-envoy-original-path": "/somewhere",
        "x-envoy-decorator-operation": "x",
        "x-forwarded-client-cert": "Subject=CN=admin",
    }
    headers = [word for name, value in forged.items() for word in ("--header", f"{name}: {value}")]
    judged = ("--header", "x-judge: yes")
    caller.settled(f"{url}/", *judged, gateway=gateway)
    since = offered.outside.count("vm1")
    answer = caller.curl(f"{url}/wait/2", *judged, *headers, "--dump-header", "-", gateway=gateway)
    assert answer.outcome == "200"
    assert "x-envoy" not in answer.body.lower()
    (request,) = _seen(offered, since, "/wait/2")
    assert {name for name in request["headers"] if name.startswith("x-envoy-")} == set()
    assert "x-forwarded-client-cert" not in request["headers"]


@pytest.mark.proves("north-south", "headers that servers may read as another are refused")
def test_underscores_in_headers_are_refused(offered: Cluster, caller: Caller) -> None:
    """Guards against `x_user`, which many a server reads as the `x-user` that a policy has looked at."""
    url = "http://routed.example.org/n9e/underscore"
    assert caller.settled(url).outcome == "200"
    since = offered.outside.count("vm1")
    assert caller.curl(url, "--header", "x_user: admin").outcome == "400"
    assert _seen(offered, since, "/underscore") == []


@pytest.mark.proves("north-south", "paths mean to routes what they mean to servers")
@pytest.mark.parametrize(
    "path",
    [
        "/n9e/../secret",
        "/n9e/%2e%2e/secret",
        "/n9e/%2E%2E/secret",
        "/n9e/./../secret",
        "/n9e//../../secret",
        "//secret",
        "/secret",
        "/n9e%2f..%2fsecret",
        "/n9e/..%2fsecret",
        "/n9e/..%5csecret",
        "/n9esecret",
    ],
)
def test_no_spelling_leads_past_the_routes(offered: Cluster, caller: Caller, path: str) -> None:
    """Guards against a path that one program reads as declared, and the next as another."""
    caller.settled("http://routed.example.org/n9e/x")
    since = offered.outside.count("vm1")
    answer = caller.curl(f"http://routed.example.org{path}", "--path-as-is")
    # Escaped slashes are sent back to be asked for plainly; following that gets nobody further.
    if answer.outcome == "307":
        answer = caller.curl(f"http://routed.example.org{path}", "--path-as-is", "--location")
    assert answer.outcome in {"400", "404"}
    assert paths(offered, "vm1", since) == []


@pytest.mark.proves("north-south", "paths mean to routes what they mean to servers")
@pytest.mark.parametrize("path", ["//n9e/plain", "/n9e//plain", "/x/../n9e/plain", "/n9e/%2e/plain"])
def test_slashes_and_dots_are_made_plain(offered: Cluster, caller: Caller, path: str) -> None:
    """Guards against a backend that sees another path than the route that led there."""
    caller.settled("http://routed.example.org/n9e/x")
    since = offered.outside.count("vm1")
    assert caller.curl(f"http://routed.example.org{path}", "--path-as-is").outcome == "200"
    assert len(_seen(offered, since, "/plain")) == 1


@pytest.mark.proves("north-south", "clients in the mesh reach backends by their hostnames")
@pytest.mark.parametrize(
    ("url", "gateway"),
    [
        ("http://secure.example.org", DEFAULT),
        ("https://web.example.org", DEFAULT),
        ("https://vm.example.net", DEFAULT),
        ("http://judged-beside.example.org", EDGE),
    ],
)
def test_clients_in_the_mesh_reach_backends(offered: Cluster, client: Client, url: str, gateway: str) -> None:
    """Guards against a sidecar that refuses a name, a port or a protocol that only the Gateway knows."""
    reader = client("news", "reader")
    host, port = url.partition("://")[2], {"http": 80, "https": 443}[url.partition("://")[0]]
    to = ("--resolve", f"{host}:{port}:{_ANYWHERE}", "--header", "x-judge: yes")
    wait_until(lambda: reader.curl(f"{url}/", *to).outcome == "200", url, seconds=20)
    since, path = offered.outside.count("vm1"), f"/of-the-mesh/{host}"
    assert reader.curl(f"{url}{path}", *to).outcome == "200"
    (request,) = _seen(offered, since, path)
    pods = offered.pods(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={gateway}")
    assert request["peer"] in {pod.address for pod in pods}


@pytest.mark.proves("north-south", "clients in the mesh call backends by gRPC, and hear how it went")
def test_clients_in_the_mesh_call_by_grpc(offered: Cluster, client: Client) -> None:
    """Guards against a sidecar that speaks HTTP/1.1 to the Gateway, where a call has no trailers and no status."""
    reader, method = client("news", "reader"), "/bed.Calls/OfTheMesh"
    to = ("--resolve", f"calls.example.org:80:{_ANYWHERE}")

    def is_answered() -> bool:
        return "grpc-status: 0" in reader.call(f"http://calls.example.org{method}", *to)

    wait_until(is_answered, "a call to be answered", seconds=20)
    seen = offered.outside.seen("vm1", event="request", protocol="grpc", path=method)
    pods = offered.pods(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={DEFAULT}")
    assert {each["peer"] for each in seen} <= {pod.address for pod in pods}
    assert seen


@pytest.mark.proves("north-south", "clients in the mesh reach backends by their hostnames")
@pytest.mark.usefixtures("offered")
def test_clients_in_the_mesh_reach_tls_on_another_port(client: Client) -> None:
    """Guards against an offer that knows ports 80 and 443 only; what ends the TLS sends back what it is sent."""
    reader = client("news", "reader")
    to = ("--resolve", f"echo.example.org:7443:{_ANYWHERE}", "--http0.9", "--max-time", "2")

    def echoed() -> bool:
        return "host: echo.example.org:7443" in reader.curl("https://echo.example.org:7443/sent", *to).body.lower()

    wait_until(echoed, "what was sent", seconds=20)


@pytest.mark.proves("north-south", "an undeclared hostname is not answered")
def test_other_names_on_their_ports_are_refused(offered: Cluster, client: Client) -> None:
    """Guards against an offer for a port that leads every name to the Gateway."""
    reader, since = client("news", "reader"), offered.outside.count("vm1")
    for url in ("http://other.example.org", "https://other.example.org", "https://other.example.org:7443"):
        port = url.rpartition(":")[2] if url.count(":") > 1 else {"http": "80", "https": "443"}[url.partition(":")[0]]
        answer = reader.curl(url, "--resolve", f"other.example.org:{port}:{_ANYWHERE}")
        assert answer.exit_code != 0 or answer.outcome == "502"
    assert paths(offered, "vm1", since) == []
