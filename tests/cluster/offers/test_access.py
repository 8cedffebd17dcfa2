"""Who may call, with the real Envoy: each way without credentials is refused, and the backend is not asked."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.cluster import guarded
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.signer import Signer
from tests.cluster.offers.aiming import proxies, suspended
from tests.cluster.offers.asking import DEFAULT, EDGE, Caller
from tests.cluster.offers.conftest import FETCHED, INLINE
from tests.cluster.offers.declared import KEY, KEYS, NAMESPACE, PASSWORD, USER, secret

STRANGER: Final = Signer(issuer=INLINE.issuer, name=INLINE.name)
"""Somebody who calls himself as the issuer does, and has another key."""
_PLAIN: Final = {"host", "user-agent", "accept", "x-request-id"}
"""The headers that the backend sees of a request by curl."""
Attempts = Mapping[str, tuple[str, ...]]
"""Arguments for curl, by what is tried."""


def told(caller: Caller, url: str, attempts: Attempts, gateway: str = DEFAULT) -> dict[str, str]:
    """What each attempt is answered."""
    return {name: caller.curl(url, *words, gateway=gateway).outcome for name, words in attempts.items()}


def asked(cluster: Cluster, path: str) -> list[Mapping[str, object]]:
    """The requests for a path that reached the backend; no two tests have one path."""
    return list(cluster.outside.seen("vm1", event="request", path=path))


def _header(*headers: str) -> tuple[str, ...]:
    return tuple(word for header in headers for word in ("--header", header))


def _bearer(token: str) -> tuple[str, ...]:
    return _header(f"authorization: Bearer {token}")


@pytest.mark.proves(
    "north-south", "a token is checked: signature, issuer, audience, age and claims; the backend gets none"
)
def test_a_token_is_asked_for(offered: Cluster, caller: Caller) -> None:
    """Guards against a token that nobody checks, that comes in a query, or that the backend could use itself."""
    url, good = "http://token.example.org", INLINE.token(aud="offers", team="news")
    caller.settled(f"{url}/", *_bearer(good))
    unsigned = "eyJhbGciOiJub25lIn0." + good.split(".")[1] + "."
    refused = {
        "none": ((), "401"),
        "another signer": (_bearer(STRANGER.token(aud="offers", team="news")), "401"),
        "no signature": (_bearer(good.rpartition(".")[0] + "."), "401"),
        "the algorithm none": (_bearer(unsigned), "401"),
        "too old": (_bearer(INLINE.token(aud="offers", team="news", exp=1)), "401"),
        "another issuer": (_bearer(FETCHED.token(aud="offers", team="news")), "401"),
        "another header": (_header(f"x-authorization: Bearer {good}"), "401"),
        "a cookie": (("--cookie", f"authorization={good}; access_token={good}"), "401"),
        "another audience": (_bearer(INLINE.token(aud="egress", team="news")), "403"),
        "without the claim": (_bearer(INLINE.token(aud="offers")), "403"),
        "another claim": (_bearer(INLINE.token(aud="offers", team="news-2")), "403"),
        "a list without it": (_bearer(INLINE.token(aud="offers", team=["sports", "new"])), "403"),
    }
    attempts = {name: words for name, (words, _) in refused.items()}
    assert told(caller, f"{url}/refused", attempts) == {name: status for name, (_, status) in refused.items()}
    assert caller.curl(f"{url}/refused?access_token={good}").outcome == "401", "tokens in a query end up in logs"
    seen = offered.outside.seen("vm1", event="request")
    assert [request for request in seen if request["path"].startswith("/refused")] == []
    for claims in ({"team": "news"}, {"team": "shop"}, {"team": ["sports", "news"]}, {"aud": ["x", "offers"]}):
        token = INLINE.token(**{"aud": "offers", "team": "news", **claims})
        assert caller.curl(f"{url}/taken", *_bearer(token)).outcome == "200", claims
    assert [set(request["headers"]) for request in offered.outside.seen("vm1", path="/taken")] == [_PLAIN] * 4


@pytest.mark.proves("north-south", "calls by gRPC need a token as well")
def test_a_token_is_asked_for_by_grpc(offered: Cluster, caller: Caller) -> None:
    """Guards against a policy for routes of HTTP, which those of gRPC go past."""
    url, since = "http://token-calls.example.org/bed.Api/Token", offered.outside.count("vm1")

    def call(*arguments: str) -> str:
        return caller.pod.call(url, *caller.to(url), *arguments)

    good = _bearer(INLINE.token(aud="offers"))
    for refused in ((), _bearer(STRANGER.token(aud="offers")), _bearer(INLINE.token(aud="egress"))):
        assert "grpc-status: 0" not in call(*refused)
    assert offered.outside.seen("vm1", since=since, protocol="grpc", path="/bed.Api/Token") == []
    wait_until(lambda: "grpc-status: 0" in call(*good), "the call", why_not=lambda: call(*good))


@pytest.mark.proves("north-south", "the proxies fetch an issuer's keys themselves, over verified TLS")
def test_keys_are_fetched_by_the_proxies(offered: Cluster, caller: Caller) -> None:
    """Guards against keys that never come, and against a fetcher whom the NetworkPolicies do not know."""
    url = "http://fetched-token.example.org"
    caller.settled(f"{url}/", *_bearer(FETCHED.token(aud="offers")))
    attempts = {
        "none": (),
        "another issuer": _bearer(INLINE.token(aud="offers", team="news")),
        "another signer": _bearer(Signer(issuer=FETCHED.issuer, name=FETCHED.name).token(aud="offers")),
    }
    assert told(caller, f"{url}/unfetched", attempts) == dict.fromkeys(attempts, "401")
    assert asked(offered, "/unfetched") == []
    peers = {str(each["peer"]) for each in offered.outside.seen("keys", event="request", path=KEYS)}
    assert peers & {pod.address for pod in proxies(offered)} != set()
    assert peers & {pod.address for pod in offered.pods(NAMESPACE, "control-plane=envoy-gateway")} == set()


@pytest.mark.proves("north-south", "a key is asked for, and goes no further than the Gateway")
def test_a_key_is_asked_for(offered: Cluster, caller: Caller) -> None:
    """Guards against any key that opens, and against a backend that learns the key of its callers."""
    url = "http://keyed.example.org"
    caller.settled(f"{url}/", *_header(f"x-api-key: {KEY}"))
    attempts = {
        "none": (),
        "empty": _header("x-api-key;"),
        "wrong": _header(f"x-api-key: {KEY}s"),
        "the caller's name": _header("x-api-key: jane"),
        "another header": _header(f"x-api-token: {KEY}"),
        "authorization": _bearer(KEY),
        "a cookie": ("--cookie", f"x-api-key={KEY}"),
    }
    assert told(caller, f"{url}/unkeyed", attempts) == dict.fromkeys(attempts, "401")
    assert caller.curl(f"{url}/unkeyed", *_header(f"x_api_key: {KEY}")).outcome == "400"
    assert caller.curl(f"{url}/unkeyed?x-api-key={KEY}").outcome == "401"
    assert asked(offered, "/unkeyed") == []
    assert caller.curl(f"{url}/keyed", *_header(f"x-api-key: {KEY}")).outcome == "200"
    (request,) = offered.outside.seen("vm1", path="/keyed")
    assert set(request["headers"]) == _PLAIN


@pytest.mark.proves("north-south", "a password is asked for, and goes no further than the Gateway")
def test_a_password_is_asked_for(offered: Cluster, caller: Caller) -> None:
    """Guards against any password that opens, and against a backend that learns it."""
    url = "http://password.example.org"
    caller.settled(f"{url}/", "--user", f"{USER}:{PASSWORD}")
    attempts = {
        "none": (),
        "wrong": ("--user", f"{USER}:{PASSWORD}s"),
        "empty": ("--user", f"{USER}:"),
        "somebody else": ("--user", f"john:{PASSWORD}"),
        "nobody": ("--user", f":{PASSWORD}"),
        "a token": _bearer(PASSWORD),
    }
    assert told(caller, f"{url}/unknown", attempts) == dict.fromkeys(attempts, "401")
    assert asked(offered, "/unknown") == []
    assert caller.curl(f"{url}/known", "--user", f"{USER}:{PASSWORD}").outcome == "200"
    (request,) = offered.outside.seen("vm1", path="/known")
    assert set(request["headers"]) == _PLAIN


@pytest.mark.proves("north-south", "an authorizer is asked, as a Service and at a socket in the proxies' pods")
@pytest.mark.parametrize(("name", "gateway"), [("judged", DEFAULT), ("judged-beside", EDGE)])
def test_an_authorizer_decides(offered: Cluster, caller: Caller, name: str, gateway: str) -> None:
    """Guards against an authorizer that is not asked, or is asked about what is not its own."""
    url = f"http://{name}.example.org"
    caller.settled(f"{url}/", *_header("x-judge: yes"), gateway=gateway)
    attempts = {"nothing": (), "no": _header("x-judge: no"), "almost": _header("x-judge: yes!", "x-judge2: yes")}
    assert told(caller, f"{url}/unjudged", attempts, gateway) == dict.fromkeys(attempts, "403")
    assert asked(offered, "/unjudged") == []
    assert caller.curl(f"{url}/{name}", *_header("x-judge: yes"), gateway=gateway).outcome == "200"
    pods = offered.pods(*guarded.AUTHORIZER) if gateway == DEFAULT else proxies(offered, gateway)
    container = "app" if gateway == DEFAULT else "helper-judge"
    hosts = {line["host"] for pod in pods for line in pod.access_log(container)}
    assert hosts == {f"{name}.example.org"}


@pytest.mark.proves(
    "north-south", "an authorizer that is gone, or does not answer, means no, for its own backends only"
)
def test_no_answer_means_no(offered: Cluster, caller: Caller) -> None:
    """Guards against an authorizer whose failure opens its backends, or shuts everybody's."""
    url, yes = "http://judged.example.org/unanswered", _header("x-judge: yes")
    namespace = guarded.AUTHORIZER[0]

    def select(app: str) -> None:
        changed = f'{{"spec": {{"selector": {{"app": "{app}"}}}}}}'
        offered.kubectl.run("patch", "service", "judge", "-n", namespace, "--type=merge", "--patch", changed)

    with suspended(offered.pods(*guarded.AUTHORIZER), "app"):
        assert caller.curl(url, *yes).outcome == "403"
    caller.settled("http://judged.example.org/", *yes)
    try:
        select("nobody")
        wait_until(lambda: caller.curl("http://judged.example.org/", *yes).outcome != "200", "the way to be shut")
        assert {caller.curl(url, *yes).status for _ in range(4)} <= {403, 500, 503}
        assert caller.curl("http://vms.example.org/").outcome == "200"
    finally:
        select("judge")
    caller.settled("http://judged.example.org/", *yes)
    beside = "http://judged-beside.example.org"
    caller.settled(f"{beside}/", *yes, gateway=EDGE)
    with suspended(proxies(offered, EDGE), "helper-judge"):
        assert caller.curl(f"{beside}/unanswered", *yes, gateway=EDGE).outcome == "403"
    assert asked(offered, "/unanswered") == []
    caller.settled(f"{beside}/", *yes, gateway=EDGE)


@pytest.mark.proves("north-south", "a backend whose Secret is missing is shut, whatever is asked, until it is there")
def test_a_missing_secret_opens_nothing(offered: Cluster, caller: Caller) -> None:
    """Guards against a policy that Envoy Gateway cannot read, and a route that it then serves to everybody."""
    url, key = "http://unset.example.org:8082", ("--header", f"x-api-key: {KEY}")
    caller.settled(f"{url}/unset", outcome="500")
    attempts = {
        "with a key": key,
        "in capitals": _header("host: UNSET.EXAMPLE.ORG:8082"),
        "with a dot": _header("host: unset.example.org."),
        "without the port": _header("host: unset.example.org"),
        "with another port": _header("host: unset.example.org:80"),
        "for another backend": _header("host: keyed.example.org", f"x-api-key: {KEY}"),
        "for a public one": _header("host: vms.example.org"),
        "with the whole URL": ("--request-target", "http://unset.example.org:8082/unset"),
        "with two hosts": _header("host: unset.example.org:8082", "x-forwarded-host: vms.example.org"),
        "rewritten": _header("x-original-url: /", "x-envoy-original-path: /"),
        "by HTTP/2": ("--http2-prior-knowledge",),
    }
    answers = told(caller, f"{url}/unset", attempts)
    assert set(answers.values()) <= {"400", "404", "500"}, answers
    assert caller.curl("http://unset.example.org/unset").outcome == "404", "on the listener of others"
    assert asked(offered, "/unset") == []
    offered.kubectl.apply(secret("callers-to-come", {"jane": KEY}))
    try:
        caller.settled(f"{url}/set", *key)
        caller.settled(f"{url}/unset", outcome="401")
    finally:
        offered.kubectl.run("delete", "secret", "callers-to-come", "-n", NAMESPACE)
    caller.settled(f"{url}/set", *key, outcome="500")
    assert asked(offered, "/unset") == []
