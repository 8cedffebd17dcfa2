"""Where backends answer: machines, zones, what stands by, and everything that is not HTTP by name."""

from typing import Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Pod
from tests.cluster.bed.web_socket import echoed
from tests.cluster.offers.asking import Caller
from tests.cluster.offers.watching import addresses, asked, proxies, server, settled

_VMS: Final = "http://vms.example.org"
_TIMED_OUT: Final = 28
_REFUSED: Final = (35, 52, 55, 56)
"""Of curl: a handshake that ended; a connection that ended before any byte, or takes none, or was reset."""
_ENDED: Final = (0, *_REFUSED)
"""The same of TCP, where an end is no error."""
_UNIMPLEMENTED: Final = "grpc-status: 12"


@pytest.mark.proves(
    "north-south",
    "every endpoint of a backend is asked, by the proxies of its Gateway, and what stands by is not",
    kinds=("Backend.gateway.envoyproxy.io",),
)
def test_every_endpoint_is_asked(offered: Cluster, caller: Caller) -> None:
    """Guards against an endpoint that is never asked, and against a standby that takes its share while all is well."""
    settled(lambda: server(caller.curl(f"{_VMS}/every")), {"vm1", "vm2"})
    for host in ("vm1", "vm2"):
        seen = asked(offered, host, "/every")
        assert {each["peer"] for each in seen} <= addresses(offered)
        assert {each["headers"]["host"] for each in seen} == {"vms.example.org"}


@pytest.mark.proves("north-south", "an endpoint that is not well gets nothing until it is well again")
def test_an_unwell_endpoint_is_left_alone(offered: Cluster, caller: Caller) -> None:
    """Guards against a health check that asks nobody, or that nobody heeds."""

    def ask() -> str:
        return server(caller.curl(f"{_VMS}/unwell"))

    with offered.outside.behaving("vm1", under="/health", status=503):
        # Half of the endpoints are fewer than seven in ten, so what stands by takes some.
        settled(ask, {"vm2", "vm3"})
    settled(ask, {"vm1", "vm2"})
    checks = asked(offered, "vm1", "/health")
    assert {each["headers"]["host"] for each in checks} == {"vms.example.org"}


@pytest.mark.proves("north-south", "what stands by answers while no endpoint is well, and goes back")
def test_a_standby_takes_over_and_goes_back(offered: Cluster, caller: Caller) -> None:
    """Guards against a standby that is never asked, and against one that stays."""

    def ask() -> str:
        return server(caller.curl(f"{_VMS}/standby"))

    failing = offered.outside.behaving
    with failing("vm1", under="/health", status=503), failing("vm2", under="/health", status=503):
        settled(ask, {"vm3"})
    settled(ask, {"vm1", "vm2"})


@pytest.mark.proves("north-south", "proxies ask the endpoints of their own zone, and others when that is not well")
def test_proxies_prefer_their_own_zone(offered: Cluster, caller: Caller) -> None:
    """Guards against zones that are written down, and of which no proxy knows its own."""
    zones = {pod.address: pod.node[-1] for pod in proxies(offered)}
    assert set(zones.values()) == {"a", "b"}

    def ask() -> str:
        answer = caller.curl("http://zoned.example.org/near")
        return f"{server(answer)} from {zones[answer.body.split()[-1]]}"

    settled(ask, {"vm1 from a", "vm2 from b"})
    with offered.outside.behaving("vm1", under="/zoned", status=503):
        settled(ask, {"vm2 from a", "vm2 from b"})
    settled(ask, {"vm1 from a", "vm2 from b"})


@pytest.mark.proves(
    "north-south",
    "calls by gRPC are answered, and methods that no route names are not",
    kinds=("GRPCRoute.gateway.networking.k8s.io",),
)
def test_calls_are_answered_by_method(offered: Cluster, caller: Caller, probe: Pod) -> None:
    """Guards against HTTP/1.1 to a host that speaks HTTP/2 alone, and against a route that takes every method."""

    def call(host: str, method: str) -> str:
        url = f"http://{host}.example.org{method}"
        return probe.call(url, *caller.to(url))

    for host, method in (
        ("calls", "/bed.Calls/Any"),
        ("some-calls", "/bed.Api/Ask"),
        ("some-calls", "/bed.Other/Any"),
        ("framed", "/bed.Framed/Any"),
    ):
        assert "grpc-status: 0" in call(host, method), (host, method)
        (seen,) = offered.outside.seen("vm1", event="request", protocol="grpc", path=method)
        assert seen["peer"] in addresses(offered)
    for method in ("/bed.Api/Other", "/bed.Nobody/Ask", "/bed.Api/Asked"):
        assert _UNIMPLEMENTED in call("some-calls", method), method
        assert asked(offered, "vm1", method) == []


@pytest.mark.proves("north-south", "WebSockets lead through, with TLS to the endpoint and without")
@pytest.mark.parametrize(("host", "protocol"), [("sockets", "http"), ("safe-sockets", "https"), ("vms", "http")])
def test_web_sockets_lead_through(offered: Cluster, caller: Caller, probe: Pod, host: str, protocol: str) -> None:
    """Guards against an upgrade that is refused, or that is offered by HTTP/2, where it is another."""
    path = f"/web-socket/{host}"
    assert echoed(probe, caller.address(), 80, f"{host}.example.org", path=path, text="both ways") == "both ways"
    (seen,) = [line for name in ("vm1", "vm2") for line in asked(offered, name, path)]
    assert (seen["protocol"], seen["headers"]["upgrade"]) == (protocol, "websocket")


@pytest.mark.proves("north-south", "a resolver answers for the declared hosts and port, and for nothing else")
@pytest.mark.parametrize("host", ["api.example.org", "api.example.org:80"])
def test_a_resolver_leads_to_its_hosts(offered: Cluster, caller: Caller, host: str) -> None:
    """Guards against a resolver that is bounded so well that it answers nobody."""
    path = f"/resolved/{host}"
    answer = caller.curl(f"http://api.example.org{path}", "--header", f"host: {host}")
    assert server(answer) == "api"
    (seen,) = asked(offered, "api", path)
    assert seen["peer"] in addresses(offered)
    assert (seen["port"], seen["headers"]["host"]) == (80, "api.example.org")


@pytest.mark.proves("north-south", "a resolver answers for the declared hosts and port, and for nothing else")
@pytest.mark.parametrize(
    "host",
    [
        "api.example.org:22",
        "api.example.org:443",
        "api.example.org:5432",
        "api.example.org.",
        "resolved.example.org",
        "undeclared.example.com",
        "undeclared.example.com:80",
        "54.1.2.3",
        "127.0.0.1:19000",
        "api.example.org@undeclared.example.com",
    ],
)
def test_a_resolver_leads_nowhere_else(offered: Cluster, caller: Caller, host: str) -> None:
    """Guards against an open proxy: Envoy connects to whatever host and port the request names."""
    since = {name: offered.outside.count(name) for name in ("api", "undeclared")}
    answer = caller.curl("http://api.example.org/elsewhere", "--header", f"host: {host}")
    assert answer.outcome in {"400", "404"}
    for name, count in since.items():
        assert offered.outside.seen(name, since=count) == []


@pytest.mark.proves(
    "north-south", "TLS is passed through by its SNI, and no other", kinds=("TLSRoute.gateway.networking.k8s.io",)
)
def test_tls_is_passed_through(offered: Cluster, caller: Caller) -> None:
    """Guards against TLS that ends on its way, and against machines that can be reached by any SNI."""
    assert server(caller.curl("https://vm.example.net/passed")) == "vm1"
    (seen,) = asked(offered, "vm1", "/passed")
    assert (seen["sni"], seen["port"]) == ("vm.example.net", 8443)
    assert seen["peer"] in addresses(offered)
    since = offered.outside.count("vm1")
    for host in ("vm1.example.net", "nobody.example.org", caller.address()):
        assert caller.curl(f"https://{host}/other").exit_code in _REFUSED, host
    assert offered.outside.seen("vm1", since=since, event="connection", port=8443) == []


def _echo(caller: Caller, url: str) -> tuple[str, int]:
    """What comes back, and how curl ends: by Gopher it sends the end of the path, and takes what comes for two seconds.

    With `gophers:` it sees to the certificate first.
    """
    host, _, port = url.rpartition("://")[2].partition("/")[0].partition(":")
    to = ("--resolve", f"{host}:{port}:{caller.address()}")
    answer = caller.pod.curl(url, *to, seconds=2)
    return answer.body, answer.exit_code


@pytest.mark.proves(
    "north-south",
    "TCP leads through, in plain text and out of TLS that ends at the Gateway",
    kinds=("TCPRoute.gateway.networking.k8s.io",),
)
@pytest.mark.parametrize("url", ["gopher://echo.example.org:7000", "gophers://echo.example.org:7443"])
def test_tcp_leads_through(offered: Cluster, caller: Caller, url: str) -> None:
    """Guards against TLS that goes on to a machine that speaks none, and against a port that leads nowhere."""
    since = offered.outside.count("vm1")
    assert _echo(caller, f"{url}/_hello") == ("hello\n", _TIMED_OUT)
    (seen,) = offered.outside.seen("vm1", since=since, protocol="echo")
    assert seen["peer"] in addresses(offered)


@pytest.mark.proves("north-south", "TLS that ends at the Gateway ends for its own names only")
def test_tls_ends_for_its_own_names_only(offered: Cluster, caller: Caller) -> None:
    """Guards against a TCP service that answers to every SNI, or without TLS."""
    since = offered.outside.count("vm1")
    for url in ("gophers://other.example.org:7443", "gopher://echo.example.org:7443"):
        body, code = _echo(caller, f"{url}/_hello")
        assert (body, code in _ENDED) == ("", True), (url, code)
    assert offered.outside.seen("vm1", since=since, protocol="echo") == []


@pytest.mark.proves("north-south", "TCP is for the declared addresses of callers only")
def test_tcp_is_for_declared_callers(caller: Caller) -> None:
    """Guards against addresses that are declared for TCP and that no proxy looks at.

    Envoy looks when the first byte arrives, and has connected by then: the machine hears of a connection, and no more.
    """
    body, code = _echo(caller, "gopher://echo.example.org:7001/_hello")
    assert (body, code in _ENDED) == ("", True), code
