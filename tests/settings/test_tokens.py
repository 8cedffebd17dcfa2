"""Issuers, authorizers, and permitted requests: what fits together, and what Istio would read in another way."""

import json
from typing import Any

import pytest

from tests.support import Values, changed, problems_of, setting, told

_KEY = {"kty": "RSA", "kid": "1", "n": "sXch", "e": "AQAB"}
_KEYS = json.dumps({"keys": [_KEY]})
_ISSUER = "egress.mesh.issuers.sso"
_DESTINATION = "destinations.edition-cnn"
_ALLOW = f"{_DESTINATION}.ports.http.allow"
_AUTHORIZER = "egress.mesh.authorizers.judge"


def _issuer(**changes: Any) -> dict[str, Any]:
    return {"issuer": "https://sso.example.com", "audiences": ["egress"], "jwks": _KEYS, **changes}


def _guarded(**changes: Any) -> Values:
    """The `dev` stack by HTTP only, with an issuer, an authorizer, and a destination that asks for both."""
    values = changed(setting(_ISSUER, _issuer()))
    values["destinations"]["edition-cnn"] |= {
        "ports": {"http": {"port": 80, "protocol": "HTTP"}},
        "token": {"issuer": "sso"},
        "authorizer": "judge",
        **changes,
    }
    return changed(setting(_AUTHORIZER, {"namespace": "monitoring", "service": "judge", "port": 9000}), values)


def test_all_of_it_is_taken() -> None:
    """What the documentation shows was refused."""
    port = {"port": 80, "protocol": "HTTP", "allow": {"methods": ["GET"], "paths": ["/v1/*", "/v1/a%2Fb", "/"]}}
    token = {"issuer": "sso", "claims": {"team": ["news"], "https://example.com/roles": ["a*b"]}}
    assert problems_of(_guarded(ports={"http": port}, token=token)) == ()


@pytest.mark.parametrize(
    ("path", "word", "where"),
    [
        ("token.issuer", "ssso", "egress.mesh.issuers"),
        ("authorizer", "jugde", "egress.mesh.authorizers"),
    ],
)
def test_unknown_names_are_refused(path: str, word: str, where: str) -> None:
    """A misspelt issuer gave a rule that no token could meet, and a misspelt authorizer one that nobody was asked."""
    known = {"ssso": "sso", "jugde": "judge"}[word]
    found = told(changed(setting(f"{_DESTINATION}.{path}", word), _guarded()))
    assert found == [(f"{_DESTINATION}.{path}", f"there is no `{word}` under {where}", f"did you mean `{known}`?")]


@pytest.mark.parametrize("key", ["token", "authorizer"])
@pytest.mark.parametrize("protocol", ["TLS", "TCP"])
def test_nobody_sees_requests_in_what_is_passed_through(key: str, protocol: str) -> None:
    """A token was asked for on a TLS port, where nobody could see one, and the port stood open."""
    values = _guarded()
    for other in {"token", "authorizer"} - {key}:
        del values["destinations"]["edition-cnn"][other]
    values["destinations"]["edition-cnn"]["ports"]["raw"] = {"port": 8443, "protocol": protocol}
    found = told(values)
    wrong = f"is about requests, and the gateway sees none in the port `raw` ({protocol})"
    instead = "`protocol: HTTP` with `tls` for that port, or another destination for it"
    assert (f"{_DESTINATION}.{key}", wrong, instead) in found


@pytest.mark.parametrize("key", ["token", "authorizer", "gateway"])
def test_without_a_gateway_nobody_checks(key: str) -> None:
    """A namespace without a gateway used a destination whose token nobody checked."""
    values = changed(setting("cluster.namespaces.news.outbound", "registry-only"), _guarded())
    values["destinations"]["edition-cnn"]["clients"] = {"news": {"everyone": True}}
    values["egress"]["mesh"]["gateways"] = {"other": {}}
    values["destinations"]["edition-cnn"]["gateway"] = "other"
    wrong = "needs a gateway, and clients in `news` go without one"
    instead = "leave it out, or `outbound: gateway` at cluster.namespaces.news"
    assert (f"{_DESTINATION}.{key}", wrong, instead) in told(values)


@pytest.mark.parametrize(
    "keys",
    [
        "",
        "{}",
        "[]",
        "keys",
        '{"keys": 1}',
        '{"keys": ["a"]}',
        '{"keys": [{"kid": "1"}]}',
        '{"keys": {"kty": "RSA"}}',
    ],
)
def test_what_is_no_key_set_is_refused(keys: str) -> None:
    """Istiod refused the object at the very end, or nobody's token was good."""
    found = told(_with_keys(keys))
    instead = '`{"keys": [...]}` in quotes, as the issuer publishes it'
    assert found == [(f"{_ISSUER}.jwks", "is not a JSON Web Key Set", instead)]


@pytest.mark.parametrize(
    "keys",
    [[], [{**_KEY, "d": "abc"}], [_KEY, {**_KEY, "p": "abc"}], [{"kty": "oct", "k": "abc"}], [{"kty": "oct"}]],
)
def test_secret_keys_are_refused(keys: list[Any]) -> None:
    """Whoever could read the stack file, or the object, could sign tokens."""
    found = told(_with_keys(json.dumps({"keys": keys})))
    wrong = "has no keys, or secret ones, with which anybody could sign"
    assert found == [(f"{_ISSUER}.jwks", wrong, "the issuer's public keys")]


def _with_keys(keys: str) -> Values:
    return changed(setting(_ISSUER, _issuer(jwks=keys)), _guarded())


@pytest.mark.parametrize(
    ("changes", "wrong", "instead"),
    [
        (
            {"jwksUri": "https://sso.example.com/keys"},
            "has no keys, or from two places",
            "`jwksUri`, or `jwks` with the keys themselves",
        ),
        ({"jwks": None}, "has no keys, or from two places", "`jwksUri`, or `jwks` with the keys themselves"),
        (
            {"cidrs": ["8.8.8.0/24"]},
            "`cidrs` are the addresses behind `jwksUri`, which is not there",
            "leave `cidrs` out",
        ),
    ],
    ids=["both", "none", "addresses of nothing"],
)
def test_keys_come_from_one_place(changes: dict[str, Any], wrong: str, instead: str) -> None:
    """Two sources of keys were given, and istiod took the one that was out of date."""
    issuer = {key: value for key, value in _issuer(**changes).items() if value is not None}
    assert told(changed(setting(_ISSUER, issuer), _guarded())) == [(_ISSUER, wrong, instead)]


@pytest.mark.parametrize(
    "url",
    [
        "http://sso.example.com/keys",
        "https://user@sso.example.com/keys",
        "https://sso.example.com/keys#1",
        "https://10.0.0.1/keys",
        "https://sso.example.com:0/keys",
        "sso.example.com/keys",
        "https://sso.example.com/a b",
    ],
)
def test_keys_are_fetched_from_a_name_by_https(url: str) -> None:
    """Anybody on the way answered with keys of their own, and their tokens were good."""
    issuer = {**_issuer(jwksUri=url)}
    del issuer["jwks"]
    wrong = f'"{url}" is not an https address'
    assert told(changed(setting(_ISSUER, issuer), _guarded())) == [
        (f"{_ISSUER}.jwksUri", wrong, "for example `https://sso.example.com/keys`")
    ]


@pytest.mark.parametrize("header", ["authorization", "cookie", "proxy-authorization"])
def test_the_hosts_own_headers_hold_no_token_of_ours(header: str) -> None:
    """Every token for a host outside was refused with 401, as one of an unknown issuer."""
    wrong = f"{header} is for the host outside: what it is sent there would be refused here, as of an unknown issuer"
    assert told(changed(setting(f"{_ISSUER}.header", header), _guarded())) == [
        (f"{_ISSUER}.header", wrong, "a header of its own, for example `x-egress-token`")
    ]


@pytest.mark.parametrize("text", ["*", "*.example.com", "https://sso.example.com/*"])
@pytest.mark.parametrize(
    ("path", "reported"),
    [
        (f"{_ISSUER}.issuer", f"{_ISSUER}.issuer"),
        (f"{_ISSUER}.audiences.0", f"{_ISSUER}.audiences[0]"),
        (f"{_DESTINATION}.token.claims", f"{_DESTINATION}.token.claims.team[0]"),
    ],
)
def test_what_istio_would_read_as_anything_is_refused(text: str, path: str, reported: str) -> None:
    """A claim of `*` let in whoever had the claim, and an issuer of `*` everybody with a token."""
    values = changed(setting(path, {"team": [text]} if path.endswith("claims") else text), _guarded())
    wrong = f'"{text}" begins or ends with `*`, which Istio reads as `anything`'
    assert told(values) == [(reported, wrong, "the whole value")]


@pytest.mark.parametrize("claim", ["a][b", "realm[0]", "two words"])
def test_names_of_claims_are_names(claim: str) -> None:
    """A bracket led into another claim, and the condition was about something else."""
    found = told(_guarded(token={"issuer": "sso", "claims": {claim: ["news"]}}))
    wrong = f'"{claim}" is not the name of a claim'
    assert [problem[1:] for problem in found] == [(wrong, "without brackets and blanks, for example `team`")]


def test_two_issuers_of_one_name_are_refused() -> None:
    """Istio knows an issuer by `iss` alone, so tokens for one system opened what asked for the other's."""
    other = _issuer(audiences=["other"], header="x-other")
    wrong = "issuers.twin has the same `issuer` as issuers.sso, so that tokens of one would do for the other"
    assert told(changed(setting("egress.mesh.issuers.twin", other), _guarded())) == [
        ("egress.mesh", wrong, "one entry with the audiences and keys of both")
    ]


@pytest.mark.parametrize(
    "path",
    [
        "v1",
        "*",
        "/v1*",
        "/v1/**",
        "/*/news",
        "/v1/{*}",
        "/v1/{**}",
        "//v1",
        "/v1//news",
        "/v1/../news",
        "/v1/%2e%2E/news",
        "/v1/.",
        "/v1?x=1",
        "/v1#x",
        "/v1/%zz",
        "/v1\\news",
        "/v1/ü",
    ],
)
def test_paths_that_mean_something_else_to_istio_are_refused(path: str) -> None:
    """A path was a template, a prefix of other names, or one that no request ever has after it is resolved."""
    shown = json.dumps(path, ensure_ascii=False)
    assert told(changed(setting(_ALLOW, {"paths": [path]}), _guarded())) == [
        (f"{_ALLOW}.paths[0]", f"{shown} is not a path", "`/v1/news`, or `/v1/*` for everything below")
    ]


def test_a_permission_permits_something() -> None:
    """An empty `allow` was read as `anything`."""
    assert told(changed(setting(_ALLOW, {}), _guarded())) == [
        (_ALLOW, "allows nothing and refuses nothing", "`methods`, `paths` or both; or leave it out")
    ]


def test_what_is_shown_is_chosen_by_http_only() -> None:
    """The operator believed that a gRPC authorizer saw one header, and it saw every credential."""
    assert told(changed(setting(f"{_AUTHORIZER}.headers", ["x-team"]), _guarded())) == [
        (_AUTHORIZER, "`headers` choose what is shown by HTTP, and by GRPC all are", "leave it out")
    ]
    http = changed(setting(f"{_AUTHORIZER}.protocol", "HTTP"), _guarded())
    assert problems_of(changed(setting(f"{_AUTHORIZER}.headers", ["x-team"]), http)) == ()
