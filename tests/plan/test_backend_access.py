"""Who may call a backend: what its SecurityPolicy says."""

import itertools
from typing import Any

import pytest

from components.plan.objects import KubeObject
from components.plan.offers.access import access_policies
from components.plan.offers.authorizers import authorizer
from components.settings import Settings
from tests.every_offer_key_access import access_backends, access_values, backend
from tests.support import changed, dev_values, setting, settings_of


def _settings(**backends: dict[str, Any]) -> Settings:
    values = changed(setting("backends", backends or access_backends()))
    if not backends:
        access_values(values)
    return settings_of(values)


def _policy(name: str, settings: Settings) -> KubeObject:
    assert settings.backends is not None
    (policy,) = access_policies(settings, name, settings.backends[name])
    return policy


def _one(**more: Any) -> dict[str, Any]:
    """The spec of the policy of one backend."""
    return dict(_policy("one", _settings(one=backend("one", **more))).spec)


_ENDED: dict[str, Any] = {"certificate": {"secret": "tls"}}
_TOKEN = {"issuer": "lab", "audiences": ["offers"], "jwks": '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "x"}]}'}
_LOGIN = {"issuer": "https://sso.example.com", "clientId": "one", "secret": "one"}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("tokens", {"jwt", "authorization"}),
        ("fixed-tokens", {"jwt"}),
        ("logins", {"oidc"}),
        ("keys", {"apiKeyAuth", "authorization"}),
        ("passwords", {"basicAuth"}),
        ("helped", {"extAuth"}),
        ("asked", {"extAuth"}),
        ("through", {"authorization"}),
    ],
)
def test_each_way_of_calling_is_in_the_policy_and_nothing_else(name: str, keys: set[str]) -> None:
    """A way of calling was declared, and nobody was asked for it."""
    policy = _policy(name, _settings())
    protocols = {"helped": ".grpc.route", "through": ".tls.route"}
    assert policy.name == name + protocols.get(name, "")
    assert set(policy.spec) == {"targetRefs", *keys}


@pytest.mark.parametrize(("protocol", "kind"), [("HTTP", "HTTPRoute"), ("GRPC", "GRPCRoute")])
def test_a_policy_targets_the_backend_s_own_route(protocol: str, kind: str) -> None:
    """A policy attached to a route of another kind is accepted, and does nothing."""
    spec = _one(jwt=_TOKEN, protocol=protocol, **_ENDED)
    assert spec["targetRefs"] == [{"group": "gateway.networking.k8s.io", "kind": kind, "name": "one"}]


def test_tls_is_guarded_on_its_listeners() -> None:
    """SecurityPolicies do not take a TLSRoute, so addresses of callers were not looked at."""
    settings = _settings()
    (target,) = _policy("through", settings).spec["targetRefs"]
    assert (target["kind"], target["name"]) == ("Gateway", "cluster-egress")
    assert target["sectionName"].startswith("through-")


@pytest.mark.parametrize("access", [{"public": "A reason"}, {"clientCertificates": {"secret": "callers"}}])
def test_what_is_public_or_asks_for_certificates_only_has_no_policy(access: dict[str, Any]) -> None:
    """An empty SecurityPolicy would be refused by its schema, or say something that nobody meant."""
    settings = _settings(one=backend("one", **access, **_ENDED))
    assert settings.backends is not None
    assert list(access_policies(settings, "one", settings.backends["one"])) == []


def test_tokens_come_from_the_header_alone_and_are_never_optional() -> None:
    """Envoy takes tokens from the query too, which ends up in logs; `optional` lets in whoever has none."""
    (provider,) = _one(jwt=_TOKEN, **_ENDED)["jwt"]["providers"]
    assert provider["extractFrom"] == {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]}
    assert provider["localJWKS"] == {"type": "Inline", "inline": _TOKEN["jwks"]}
    assert not {"optional", "failOpen"} & set(_one(jwt=_TOKEN, **_ENDED)["jwt"])


def _lets_in(spec: dict[str, Any], token: dict[str, str | list[str]]) -> bool:
    """What Envoy would do, by the words of Envoy Gateway's API: a rule's claims all match, in type and value."""

    def matches(claim: dict[str, Any]) -> bool:
        value = token.get(claim["name"])
        if claim["valueType"] == "StringArray":
            return isinstance(value, list) and bool(set(value) & set(claim["values"]))
        return isinstance(value, str) and value in claim["values"]

    assert spec["defaultAction"] == "Deny"
    assert {rule["action"] for rule in spec["rules"]} == {"Allow"}
    return any(all(map(matches, rule["principal"]["jwt"]["claims"])) for rule in spec["rules"])


def test_all_claims_must_hold_as_text_or_as_a_list() -> None:
    """A rule knows a claim as text or as a list, and issuers write one value as text and several as a list."""
    policy = _one(jwt={**_TOKEN, "claims": {"team": ["news", "shop"], "role": ["reader"]}}, **_ENDED)
    spec, (provider,) = policy["authorization"], policy["jwt"]["providers"]
    assert {rule["principal"]["jwt"]["provider"] for rule in spec["rules"]} == {provider["name"]}
    for team, role in itertools.product(("news", ["it", "shop"]), ("reader", ["reader"])):
        assert _lets_in(spec, {"team": team, "role": role})
    refused: list[dict[str, str | list[str]]] = [
        {},
        {"team": "news"},
        {"team": "it", "role": "reader"},
        {"team": ["news"], "role": ["writer"]},
    ]
    for token in refused:
        assert not _lets_in(spec, token)


def test_addresses_are_asked_of_every_rule() -> None:
    """A rule without the addresses would let a token in from anywhere: one rule that matches is enough."""
    spec = _one(jwt={**_TOKEN, "claims": {"team": ["news"]}}, clientCidrs=["10.20.0.0/16"], **_ENDED)
    assert [rule["principal"]["clientCIDRs"] for rule in spec["authorization"]["rules"]] == [["10.20.0.0/16"]] * 2


def test_a_key_goes_no_further_than_the_gateway() -> None:
    """Whoever runs the backend could call as its callers."""
    assert _one(apiKeys={"secret": "keys"}, **_ENDED)["apiKeyAuth"] == {
        "credentialRefs": [{"name": "keys"}],
        "extractFrom": [{"headers": ["x-api-key"]}],
        "sanitize": True,
    }


@pytest.mark.parametrize(
    ("access", "spent"),
    [
        ({"jwt": _TOKEN}, ("authorization",)),
        ({"jwt": {**_TOKEN, "passOn": True}}, ()),
        ({"basic": "users"}, ("authorization",)),
        ({"oidc": _LOGIN}, ("cookie",)),
        ({"oidc": {**_LOGIN, "passOn": True}}, ()),
        ({"apiKeys": {"secret": "keys"}}, ()),
        ({"public": "x"}, ()),
    ],
)
def test_tokens_and_passwords_are_taken_off(access: dict[str, Any], spent: tuple[str, ...]) -> None:
    """As above: Envoy Gateway hands on both, and of a login the cookies, with tokens that can be read."""
    settings = _settings(one=backend("one", **access, **_ENDED))
    assert settings.backends is not None
    assert settings.backends["one"].access.spent_headers == spent


@pytest.mark.parametrize(
    ("port", "where"), [({}, "one.offers.example.com"), ({"port": 8443}, "one.offers.example.com:8443")]
)
def test_a_login_comes_back_to_where_it_began(port: dict[str, Any], where: str) -> None:
    """Browsers were sent back to a port or scheme where nobody listens, or one that a request's headers chose."""
    spec = _one(oidc=_LOGIN, **_ENDED, **port)["oidc"]
    assert spec["redirectURL"] == f"https://{where}/oauth2/callback"
    assert spec["logoutPath"] == "/logout"
    assert spec["forwardAccessToken"] is False
    assert spec["cookieConfig"] == {"sameSite": "Lax"}
    assert not {"cookieDomain", "passThroughAuthHeader", "disableTokenEncryption"} & set(spec)


def test_no_answer_from_an_authorizer_means_no() -> None:
    """`failOpen` lets everybody in while the authorizer is down."""
    settings = _settings()
    for name in ("helped", "asked"):
        assert _policy(name, settings).spec["extAuth"]["failOpen"] is False


def test_a_helper_is_asked_by_its_socket() -> None:
    """A policy takes a socket only through a Backend, and none was there."""
    settings = _settings()
    assert settings.backends is not None
    asked = authorizer(settings, "helped", settings.backends["helped"])
    assert asked is not None
    assert asked.spec["endpoints"] == [{"unix": {"path": "/var/run/cluster-egress/opa/socket"}}]
    (reference,) = _policy("helped", settings).spec["extAuth"]["grpc"]["backendRefs"]
    assert (reference["kind"], reference["name"]) == ("Backend", asked.name)
    assert authorizer(settings, "asked", settings.backends["asked"]) is None


def test_a_service_is_asked_as_it_wants_to_be() -> None:
    """Timeout and headers of an authorizer were dropped, so it refused everybody or saw too little."""
    assert _policy("asked", _settings()).spec["extAuth"] == {
        "http": {
            "backendRefs": [
                {"group": "", "kind": "Service", "name": "opa", "namespace": "monitoring", "port": 9191},
            ]
        },
        "headersToExtAuth": ["x-team"],
        "timeout": "500ms",
        "failOpen": False,
    }


def test_the_dev_stack_is_public() -> None:
    """What the tests above change is public before."""
    settings = settings_of(dev_values())
    for name, each in (settings.backends or {}).items():
        assert list(access_policies(settings, name, each)) == []
