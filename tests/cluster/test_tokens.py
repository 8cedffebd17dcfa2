"""Tokens, authorizers, methods and paths, with real istiod and Envoy: who gets through, and what the hosts see."""

from collections.abc import Generator
from dataclasses import dataclass

import pytest

from tests.cluster import guarded
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.evaluator import Connection, End, allowed
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.signer import Signer


@dataclass(frozen=True, kw_only=True)
class Signers:
    """Whose tokens the gateway takes, and a stranger with the name of one of them."""

    inline: Signer
    fetched: Signer
    stranger: Signer


@pytest.fixture(scope="module")
def signers(cluster: Cluster, client: Client) -> Generator[Signers]:
    """The cluster with destinations that ask for more than a service account."""
    issuer = "https://sso.example.org/realm"
    signers = Signers(
        inline=Signer(issuer=issuer, name="one"),
        fetched=Signer(issuer="https://other.example.org/", name="two"),
        stranger=Signer(issuer=issuer, name="one"),
    )
    cluster.outside.publish("keys", {guarded.KEYS: signers.fetched.key_set})
    stack = cluster.stack("dev", "guarded")
    guarded.declare(stack, signers.inline, signers.fetched)
    cluster.kubectl.apply(*guarded.authorizer())
    cluster.wait_ready(*guarded.AUTHORIZER)
    reader = client("news", "reader")
    with cluster.changed_to(stack, "guarded-manifests"):
        for host, *header in (
            ("inline", f"x-egress-token: {signers.inline.token(team='news')}"),
            ("fetched", f"x-other-token: {signers.fetched.token()}"),
            ("limited",),
            ("by-http", "x-judge: yes"),
            ("by-grpc", "x-judge: yes"),
        ):
            _settle(reader, host, *header)
        yield signers


def _settle(reader: Pod, host: str, *headers: str) -> None:
    wait_until(lambda: _ask(reader, host, "/v1/settle", *headers) == "200", f"the way to {host}", seconds=60)


def _ask(pod: Pod, host: str, path: str, *headers: str, method: str = "GET") -> str:
    """The status of a request whose path goes out as it stands."""
    shown = [word for header in headers for word in ("--header", header)]
    return pod.curl(f"http://{host}.example.org{path}", "--path-as-is", "--request", method, *shown).outcome


@pytest.mark.proves(
    "mesh",
    "a token that is asked for is checked, and never leaves",
    kinds=("AuthorizationPolicy.security.istio.io",),
)
def test_a_token_is_asked_for(cluster: Cluster, client: Client, signers: Signers) -> None:
    """Guards against a token that nobody checks: not its signature, its audience, its claims, or that it is there."""
    reader, other, good = client("news", "reader"), client("news", "other"), signers.inline
    since = cluster.outside.count("guarded")
    refused = {
        "none": (None, "403"),
        "another signature": (signers.stranger.token(team="news"), "401"),
        "no signature": (good.token(team="news").rpartition(".")[0] + ".", "401"),
        "another audience": (good.token(team="news", aud="elsewhere"), "403"),
        "too old": (good.token(team="news", exp=1), "401"),
        "without the claim": (good.token(), "403"),
        "another value": (good.token(team="news-2"), "403"),
        "without a subject": (good.token(team="news", sub=""), "403"),
        "of another issuer": (signers.fetched.token(team="news"), "401"),
    }
    told = {
        name: _ask(reader, "inline", "/refused", *([] if token is None else [f"x-egress-token: {token}"]))
        for name, (token, _) in refused.items()
    }
    assert told == {name: status for name, (_, status) in refused.items()}
    assert _ask(other, "inline", "/refused", f"x-egress-token: {good.token(team='news')}") == "403"
    assert cluster.outside.seen("guarded", since=since, event="request") == []
    for claims in ({"team": "shop"}, {"team": ["sports", "news"]}):
        assert _ask(reader, "inline", "/taken", f"x-egress-token: {good.token(**claims)}") == "200"
    seen = cluster.outside.seen("guarded", since=since, event="request")
    assert [request["path"] for request in seen] == ["/taken", "/taken"]
    assert {name for request in seen for name in request["headers"]} <= {"host", "user-agent", "accept", "x-request-id"}


@pytest.mark.proves("mesh", "tokens for the host outside are the host's: the gateway passes them on unread")
@pytest.mark.parametrize("host", ["inline", "limited"])
def test_tokens_of_others_pass(cluster: Cluster, client: Client, signers: Signers, host: str) -> None:
    """Guards against a gateway that refuses, or takes away, the credentials for the service outside."""
    since = cluster.outside.count("guarded")
    bearer = f"Bearer {signers.stranger.token()}"
    own = f"x-egress-token: {signers.inline.token(team='news')}"
    reader = client("news", "reader")
    assert _ask(reader, host, "/v1/bearer?access_token=theirs", own, f"authorization: {bearer}") == "200"
    (request,) = cluster.outside.seen("guarded", since=since, event="request")
    assert request["headers"]["authorization"] == bearer
    assert request["path"] == "/v1/bearer?access_token=theirs"
    assert "x-egress-token" not in request["headers"]


@pytest.mark.proves("mesh", "istiod fetches an issuer's keys itself, over verified TLS, and its NetworkPolicy lets it")
def test_keys_are_fetched_by_istiod(cluster: Cluster, client: Client, signers: Signers) -> None:
    """Guards against a fetcher that the lock-down forgot, and against proxies that fetch keys in its place."""
    reader = client("news", "reader")
    assert _ask(reader, "fetched", "/", f"x-other-token: {signers.fetched.token()}") == "200"
    assert _ask(reader, "fetched", "/", f"x-egress-token: {signers.inline.token(team='news')}") == "403"
    (istiod,) = cluster.kubectl.list("pods", "istio-system", selector="app=istiod")
    asked = cluster.outside.seen("keys", event="request", path=guarded.KEYS)
    gateways = {pod.address for pod in cluster.pods(*EGRESS_GATEWAYS)}
    assert asked != []
    assert {request["peer"] for request in asked} & gateways == set()
    fetcher = End(
        address=istiod["status"]["podIP"],
        namespace="istio-system",
        namespace_labels={"kubernetes.io/metadata.name": "istio-system"},
        labels=istiod["metadata"]["labels"],
    )
    targets = [("54.1.2.6", 443), ("54.1.2.6", 80), ("54.1.2.5", 443)]
    verdicts = allowed(
        [Connection(source=fetcher, target=End(address=address), port=port) for address, port in targets],
        cluster.kubectl.list("networkpolicies"),
        cluster.folder / "fetcher",
    )
    assert verdicts == [True, False, False]


@pytest.mark.usefixtures("signers")
@pytest.mark.proves(
    "mesh",
    "only permitted methods and paths pass, however they are spelt",
    kinds=("AuthorizationPolicy.security.istio.io",),
)
def test_methods_and_paths(cluster: Cluster, client: Client) -> None:
    """Guards against a path that the gateway reads as permitted and the host outside as another."""
    reader = client("news", "reader")
    since = cluster.outside.count("guarded")
    refused = [
        ("DELETE", "/v1/news"),
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v10/news"),
        ("GET", "/V1/news"),
        ("GET", "/status/"),
        ("GET", "/admin"),
        ("GET", "//v1/news"),
        ("GET", "/v1/../admin"),
        ("GET", "/v1/..\\admin"),
        ("GET", "/v1/%2e%2e/admin"),
        ("GET", "/v1/.%2E/admin"),
        ("GET", "/v1//../../admin"),
        ("GET", "/v1/..%2fadmin"),
        ("GET", "/v1/..%5Cadmin"),
        ("GET", "/v1/%2e%2e%2Fadmin"),
        ("GET", "/v1/..;/admin"),
        ("GET", "/v1/%2e%2e;x=1/admin"),
        ("GET", "/v1/..%252fadmin"),
        ("GET", "/v1/%252e%252e/admin"),
        ("GET", "/v1/%2500/admin"),
    ]
    assert {(method, path): _ask(reader, "limited", path, method=method) for method, path in refused} == dict.fromkeys(
        refused, "403"
    )
    assert _ask(reader, "limited", "/v1/x%00/admin") == "400", "Envoy itself refuses NUL"
    assert cluster.outside.seen("guarded", since=since, event="request") == []
    taken = {
        ("GET", "/v1/news"): "/v1/news",
        ("POST", "/v1/news?next=/../admin%2f"): "/v1/news?next=/../admin%2f",
        ("GET", "/v1/a%20b/c;d=1/e..f"): "/v1/a%20b/c;d=1/e..f",
        ("GET", "/v1/x/../news"): "/v1/news",
        ("GET", "/v1//news"): "/v1//news",
        ("GET", "/status"): "/status",
    }
    override = "x-http-method-override: DELETE"
    assert {_ask(reader, "limited", path, override, method=method) for method, path in taken} == {"200"}
    seen = cluster.outside.seen("guarded", since=since, event="request")
    assert [(each["method"], each["path"]) for each in seen] == [(method, path) for (method, _), path in taken.items()]
    assert {"x-http-method-override"} & {name for each in seen for name in each["headers"]} == set()
    # Nobody else's paths are looked at.
    assert reader.curl("http://edition.cnn.com/a%2fb/..;/c", "--path-as-is").outcome == "200"


def _asked(cluster: Cluster) -> int:
    return len(cluster.pods(*guarded.AUTHORIZER)[0].access_log("app"))


@pytest.mark.usefixtures("signers")
@pytest.mark.proves("mesh", "an external authorizer is asked, by HTTP and by gRPC, about its own destinations only")
@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_an_authorizer_decides(cluster: Cluster, client: Client, protocol: str) -> None:
    """Guards against an authorizer that is not asked, or is asked about what is not its own."""
    reader, other, host = client("news", "reader"), client("news", "other"), f"by-{protocol}"
    since, asked = cluster.outside.count("guarded"), _asked(cluster)
    assert _ask(reader, host, "/", "x-judge: no") == "403"
    assert _ask(reader, host, "/") == "403"
    assert cluster.outside.seen("guarded", since=since, event="request") == []
    assert _ask(reader, host, "/", "x-judge: yes") == "200"
    assert _ask(other, host, "/", "x-judge: yes") == "403", "its yes let in who is no client"
    assert _asked(cluster) == asked + 4
    assert reader.curl("http://edition.cnn.com/").outcome == "200"
    assert reader.curl("https://edition.cnn.com/").outcome == "200"
    assert _asked(cluster) == asked + 4, "asked about another destination"


@pytest.mark.usefixtures("signers")
@pytest.mark.proves("mesh", "an authorizer that does not answer means no, and for its own destinations only")
def test_no_answer_means_no(cluster: Cluster, client: Client) -> None:
    """Guards against an authorizer whose failure opens its destinations, or shuts everybody's."""
    reader = client("news", "reader")
    since = cluster.outside.count("guarded")
    namespace, selector = guarded.AUTHORIZER
    cluster.kubectl.run("delete", "pod", "-n", namespace, "-l", selector)
    try:
        for host in ("by-http", "by-grpc"):
            assert _ask(reader, host, "/", "x-judge: yes") == "403"
        assert reader.curl("https://edition.cnn.com/").outcome == "200"
        assert _ask(reader, "limited", "/status") == "200"
        seen = cluster.outside.seen("guarded", since=since, event="request")
        assert {request["headers"]["host"] for request in seen} == {"limited.example.org"}
    finally:
        cluster.kubectl.apply(*guarded.authorizer())
        cluster.wait_ready(*guarded.AUTHORIZER)
    for host in ("by-http", "by-grpc"):
        _settle(reader, host, "x-judge: yes")
