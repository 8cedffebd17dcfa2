"""The services that the bed has for others: each answers, and real Envoy Gateway and Envoy take it for what it is."""

from collections.abc import Generator
from typing import Final

import pytest

from tests.cluster import by_hand, guarded
from tests.cluster.bed import addons, openid_provider
from tests.cluster.bed.cluster import Cluster, running
from tests.cluster.bed.pods import Answer, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.valkey import redis
from tests.cluster.bed.web_socket import echoed
from tests.cluster.conftest import say
from tests.support import dev_values, settings_of

_CURL_TLS_ERROR: Final = (35, 55, 56, 60)
"""Handshake; an alert after it, by sending or receiving; certificate."""


@pytest.fixture(scope="module")
def bed(bed_allowed: None) -> Generator[Cluster]:
    """A cluster of its own, without any stack, and with a pod that asks."""
    with running(settings_of(dev_values()), say, name="services") as cluster:
        authority = cluster.outside.authority.read_text(encoding="utf-8")
        cluster.kubectl.apply(*addons.clients(authority, [("monitoring", "probe", "probe")]))
        cluster.wait_ready("monitoring")
        yield cluster


@pytest.fixture(scope="module")
def probe(bed: Cluster) -> Pod:
    """The pod that asks."""
    return bed.client("monitoring", "probe")


@pytest.fixture(scope="module")
def gateway(bed: Cluster, probe: Pod) -> Generator[str]:
    """The Gateway written by hand, with everything behind it; yields the address of its Service."""
    with redis(bed) as where:
        by_hand.install(bed, where)
        bed.kubectl.apply(*guarded.authorizer(), *by_hand.objects(bed.outside.issue("*.by-hand.example")))
        wait_until(lambda: bed.pods(*by_hand.RATE_LIMITER) != [], "the rate limiter", why_not=bed.troubles)
        wait_until(lambda: bed.pods(*by_hand.PROXIES) != [], "the proxies", why_not=bed.troubles)
        for selected in (guarded.AUTHORIZER, by_hand.PROXIES, by_hand.RATE_LIMITER):
            bed.wait_ready(*selected)
        address = bed.kubectl.get("service", "by-hand", by_hand.NAMESPACE)["spec"]["clusterIP"]
        wait_until(lambda: _ask(probe, address, "free") == "200", "the Gateway written by hand")
        yield address


def _answer(pod: Pod, address: str, name: str, *arguments: str) -> Answer:
    host = f"{name}.by-hand.example"
    return pod.curl(f"http://{host}/", "--resolve", f"{host}:80:{address}", *arguments)


def _ask(pod: Pod, address: str, name: str, *arguments: str) -> str:
    return _answer(pod, address, name, *arguments).outcome


def test_all_proxies_count_together(bed: Cluster, probe: Pod, gateway: str) -> None:
    """Guards against a rate limiter that nobody runs, and against one that each proxy has of its own."""
    counted: list[int] = []

    def enough() -> bool:
        answer = _answer(probe, gateway, "limited", "--include")
        if "x-ratelimit-limit" in answer.body:  # the rest passed before the proxies had found the rate limiter
            counted.append(answer.status)
        return len(counted) == 4 * by_hand.LIMIT

    wait_until(enough, "answers that were counted", seconds=30, why_not=lambda: str(counted))
    # On a busy machine a count may come too late for a proxy, which then lets pass: it counts, and bears no header.
    passed = counted.index(429)
    assert 0 < passed <= by_hand.LIMIT
    assert set(counted[passed:]) == {429}
    assert _ask(probe, gateway, "free") == "200"


def test_a_login_leads_back_to_the_host(bed: Cluster, probe: Pod, gateway: str) -> None:
    """Guards against a provider whom the controller cannot discover, or who gives no token to the proxies."""
    host = "login.by-hand.example"
    to = ("--resolve", f"{host}:443:{gateway}")
    since = bed.outside.count("vm1")
    first = probe.curl(f"https://{host}/page", *to)
    assert first.outcome == "302"
    jar = ("--location", "--cookie", "/run/jar", "--cookie-jar", "/run/jar")
    assert probe.curl(f"https://{host}/page", *to, *jar).outcome == "200"
    (request,) = bed.outside.seen("vm1", since=since, event="request")
    assert request["path"] == "/page"
    assert request["headers"]["authorization"].startswith("Bearer ")
    proxies = {pod.address for pod in bed.pods(*by_hand.PROXIES)}
    (asked,) = bed.outside.seen("login", event="request", method="POST", path="/token")
    assert asked["peer"] in proxies
    discovered = bed.outside.seen("login", event="request", path="/.well-known/openid-configuration")
    assert {each["peer"] for each in discovered} & proxies == set()


@pytest.mark.parametrize("name", ["judged", "socket"])
def test_an_authorizer_decides(bed: Cluster, probe: Pod, gateway: str, name: str) -> None:
    """Guards against an authorizer that is not asked: behind a Service, and at a socket in the proxies' pods."""
    wait_until(lambda: _ask(probe, gateway, name, "--header", "x-judge: yes") == "200", "the authorizer", seconds=30)
    assert _ask(probe, gateway, name, "--header", "x-judge: no") == "403"
    pods = bed.pods(*(guarded.AUTHORIZER if name == "judged" else by_hand.PROXIES))
    logs = [pod.access_log("app" if name == "judged" else "authorizer") for pod in pods]
    assert {line["host"] for log in logs for line in log} == {f"{name}.by-hand.example"}


def test_a_web_socket_leads_through(probe: Pod, gateway: str) -> None:
    """Guards against a client of WebSockets that reports what it sent itself."""
    assert echoed(probe, gateway, 80, "free.by-hand.example", text="through Envoy") == "through Envoy"
    assert echoed(probe, gateway, 80, "nobody.by-hand.example").startswith("HTTP/1.1 404")


def test_a_call_by_grpc_leads_through(bed: Cluster, probe: Pod, gateway: str) -> None:
    """Guards against a host that speaks HTTP/2 only after TLS, and against an answer of Envoy's own."""
    since, host = bed.outside.count("vm1"), "calls.by-hand.example"
    assert "grpc-status: 0" in probe.call(f"http://{host}/bed.Api/Ask", "--resolve", f"{host}:80:{gateway}")
    (request,) = bed.outside.seen("vm1", since=since, event="request", protocol="grpc")
    assert (request["port"], request["path"]) == (50051, "/bed.Api/Ask")
    for url in ("http://vm1.example.net:50051", "https://vm1.example.net:50052"):
        assert "grpc-status: 0" in probe.call(f"{url}/bed.Api/Ask")
    assert "grpc-status: 0" not in probe.call("http://vm1.example.net:8080/bed.Api/Ask")


@pytest.mark.parametrize(
    ("url", "arguments", "expected"),
    [
        ("https://vm1.example.net:8443/", (), True),
        ("https://vm.example.net:8443/", ("--resolve", "vm.example.net:8443:172.139.21.12"), True),
        ("https://10.50.0.13:8443/", (), True),
        ("https://old.example.net/", (), True),
        ("https://old.example.net/", ("--tlsv1.3",), False),
        ("https://new.example.net/", (), True),
        ("https://new.example.net/", ("--tls-max", "1.2"), False),
        ("https://private.example.net/", (), False),
        ("https://private.example.net/", ("--cacert", "/run/private.pem"), True),
        ("https://impostor.example.net/", (), False),
        ("https://mutual.example.net/", (), False),
        ("https://mutual.example.net/", ("--cert", "/run/client.pem", "--key", "/run/client.key"), True),
    ],
)
def test_hosts_show_what_they_are_for(
    bed: Cluster, probe: Pod, url: str, arguments: tuple[str, ...], expected: bool
) -> None:
    """Guards against a host that is refused, or trusted, for another reason than the one that it is there for."""
    outside = bed.outside
    for name, file in (
        ("private.pem", outside.private_authority),
        ("client.pem", outside.client_certificate),
        ("client.key", outside.client_key),
    ):
        probe.run("sh", "-c", f"printf %s '{file.read_text(encoding='utf-8')}' > /run/{name}")
    answer = probe.curl(url, *arguments)
    if expected:
        assert answer.outcome == "200"
    else:
        assert answer.exit_code in _CURL_TLS_ERROR, answer


def test_hosts_misbehave_as_told(bed: Cluster, probe: Pod) -> None:
    """Guards against a host that fails nobody, or fails for ever after."""
    with bed.outside.behaving("vm2", status=503), bed.outside.behaving("vm2", under="/health", seconds=3):
        assert probe.curl("http://vm2.example.net:8080/").outcome == "503"
        assert probe.curl("http://vm2.example.net:8080/health", seconds=1).exit_code != 0
        assert probe.curl("http://vm2.example.net:8080/health").outcome == "200"
        assert probe.curl("http://vm1.example.net:8080/").outcome == "200"
    assert probe.curl("http://vm2.example.net:8080/").outcome == "200"


def test_hosts_echo(probe: Pod) -> None:
    """Guards against echoes that answer without having listened."""
    script = "exec 3<>/dev/tcp/vm1.example.net/7000; echo hello >&3; head --lines=1 <&3"
    assert probe.run("bash", "-c", script).stdout == "hello\n"
    assert echoed(probe, "172.139.21.11", 8080, "vm1.example.net", text="straight") == "straight"


def test_the_provider_takes_no_stranger(probe: Pod) -> None:
    """Guards against a provider that gives tokens to whoever asks: a login would then prove nothing."""
    form = ("--data", "grant_type=authorization_code&code=guessed")
    for secret, status in (("wrong", "401"), (openid_provider.CLIENT_SECRET, "400")):
        who = ("--user", f"{openid_provider.CLIENT_ID}:{secret}")
        assert probe.curl(f"{openid_provider.ISSUER}/token", *who, *form).outcome == status
