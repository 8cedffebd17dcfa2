"""Who may call a backend, and how much: what does not fit is refused before anything is registered."""

from typing import Any

import pytest

from tests.every_offer_key_access import access_values, backend
from tests.support import Values, changed, dev_values, problems_of, setting, told

_TOKEN = {"issuer": "lab", "audiences": ["a"], "jwks": '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "x"}]}'}
_OIDC = {"issuer": "https://sso.example.com", "clientId": "one", "secret": "one"}
_ENDED: dict[str, Any] = {"certificate": {"secret": "tls"}}


def _values(**more: Any) -> Values:
    return changed(setting("backends", {"one": backend("one", **more)}))


def _told(**more: Any) -> list[tuple[str, str]]:
    """Path below the backend, and what is wrong."""
    return [(path.removeprefix("backends.one."), wrong) for path, wrong, _ in told(_values(**more))]


def test_every_way_of_calling_is_good_where_it_fits() -> None:
    """An ordinary way of calling was refused."""
    values = dev_values()
    access_values(values)
    assert problems_of(values) == ()


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"oidc": _OIDC, "protocol": "GRPC"}, "oidc"),
        ({"basic": "users", "protocol": "GRPC"}, "basic"),
        ({"jwt": _TOKEN, "protocol": "TLS"}, "jwt"),
        ({"apiKeys": {"secret": "keys"}, "protocol": "TLS"}, "apiKeys"),
        (
            {"external": {"service": {"namespace": "monitoring", "service": "a", "port": 1}}, "protocol": "TLS"},
            "external",
        ),
    ],
)
def test_what_envoy_does_not_see_lets_nobody_in(more: dict[str, Any], key: str) -> None:
    """A policy for requests on a TCP listener is accepted by the API server, and the listener stays open."""
    ended = _ENDED if more["protocol"] != "TLS" or key != "jwt" else {}
    assert f"access.{key}" in [path for path, _ in _told(**more, **ended)]


def test_certificates_of_callers_need_one_of_ours() -> None:
    """Mutual TLS was asked for on a listener that ends no TLS, and nobody was asked."""
    ((path, wrong),) = _told(clientCertificates={"secret": "callers"})
    assert (path, wrong) == ("access.clientCertificates", "are shown in TLS, which does not end at the Gateway")


@pytest.mark.parametrize(("access", "key"), [({"jwt": _TOKEN}, "jwt"), ({"apiKeys": {"secret": "k"}}, "apiKeys")])
def test_credentials_do_not_travel_in_plain_text_outside(access: dict[str, Any], key: str) -> None:
    """Tokens, keys and passwords could be read on their way to a load balancer."""
    values = _values(**access)
    assert problems_of(values) == ()
    values["backendGateways"] = {"default": {"exposure": "internet", "sourceRanges": ["93.184.216.0/24"]}}
    ((path, wrong, instead),) = told(values)
    assert path == f"backends.one.access.{key}"
    assert wrong.startswith("would be sent in plain text")
    assert instead == "`certificate` for the backend"


def test_a_login_needs_tls() -> None:
    """Browsers do not send the cookies of a login in plain text, so it never ended."""
    assert _told(oidc=_OIDC) == [("access.oidc", "keeps logins in cookies, which browsers send by TLS only")]


@pytest.mark.parametrize(
    ("access", "key"),
    [
        ({"jwt": _TOKEN, "basic": "users"}, "basic"),
        ({"jwt": _TOKEN, "apiKeys": {"secret": "k", "header": "authorization"}}, "apiKeys.header"),
        ({"basic": "users", "apiKeys": {"secret": "k", "header": "authorization"}}, "apiKeys.header"),
        ({"oidc": _OIDC, "jwt": _TOKEN}, "jwt"),
        ({"oidc": _OIDC, "basic": "users"}, "basic"),
        ({"oidc": _OIDC, "apiKeys": {"secret": "k"}}, "apiKeys"),
    ],
)
def test_ways_that_nobody_can_go_together_are_refused(access: dict[str, Any], key: str) -> None:
    """All that is given must hold, and no caller could fulfil both."""
    assert [path for path, _ in _told(**access, **_ENDED)] == [f"access.{key}"]


def test_a_login_has_one_hostname() -> None:
    """The provider sent browsers back to the first hostname, where the cookies of the second are unknown."""
    found = _told(oidc=_OIDC, hostnames=["a.example.com", "b.example.com"], **_ENDED)
    assert found == [("access.oidc", "keeps logins in cookies of one hostname, and the backend has several")]


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ({"all": {"timeout": "5s"}}, []),
        ({"login": {"paths": ["/oauth2/*"]}, "logout": {"paths": ["/logout"], "methods": ["GET"]}}, []),
        ({"api": {"paths": ["/api/*"]}}, ["callback", "logout"]),
        ({"post": {"methods": ["POST"]}}, ["callback", "logout"]),
        ({"team": {"headers": {"x-team": "news"}}}, ["callback", "logout"]),
        ({"near": {"paths": ["/oauth2/callback-page", "/logouts/*"]}}, ["callback", "logout"]),
    ],
)
def test_a_login_s_paths_are_routed(routes: dict[str, Any], found: list[str]) -> None:
    """The provider sent browsers back to a path that was not found."""
    assert [path for path, _ in _told(oidc=_OIDC, routes=routes, **_ENDED)] == [f"access.oidc.{key}" for key in found]


def test_keys_of_two_backends_do_not_share_a_listener() -> None:
    """Envoy took the keys of one backend for another whose Secret was empty."""
    two = {name: backend(name, apiKeys={"secret": name}) for name in ("one", "two")}
    values = changed(setting("backends", two))
    assert [(path, wrong) for path, wrong, _ in told(values)] == [
        (
            "backends.two.access.apiKeys",
            "shares port 80 with backends.one, whose keys would do while the Secret is empty",
        )
    ]
    two["two"]["port"] = 8080
    assert problems_of(changed(setting("backends", two))) == ()


def test_a_helper_is_one_of_the_gateway_s_and_is_asked() -> None:
    """A socket that nobody listens on refuses everybody; a helper that nobody asks is there for nothing."""
    values = _values(external={"socket": "opaa"})
    values["backendGateways"] = {"default": {"helpers": {"opa": {"image": "registry.example.com/opa:1"}}}}
    assert told(values) == [
        (
            "backends.one.access.external.socket",
            "there is no `opaa` among the helpers of backendGateways.default",
            "did you mean `opa`?",
        ),
    ]
    values["backends"]["one"]["access"]["external"]["socket"] = "opa"
    assert problems_of(values) == ()
    values["backends"]["one"]["access"] = {"public": "x"}
    assert told(values) == [
        (
            "backendGateways.default.helpers.opa",
            "is asked by nobody",
            "`socket: opa` in the `access.external` of a backend or in `accessLog`, or leave it out",
        )
    ]


@pytest.mark.parametrize(
    ("namespace", "wrong"),
    [
        ("news", "namespace `news` has the role `client`, and whoever works there could let anybody in"),
        ("envoy-gateway-system", "namespace `envoy-gateway-system` is one of ours, and goes with the stack"),
    ],
)
def test_an_authorizer_is_nobody_s_own(namespace: str, wrong: str) -> None:
    """Whoever runs workloads in a client namespace could answer for the authorizer."""
    service = {"namespace": namespace, "service": "opa", "port": 9191}
    assert _told(external={"service": service}) == [("access.external.service.namespace", wrong)]


@pytest.mark.parametrize(
    ("access", "below", "wrong"),
    [
        ({"jwt": {**_TOKEN, "issuer": "a b:c"}}, "jwt.issuer", '"a b:c" is no issuer'),
        ({"jwt": {**_TOKEN, "audiences": list("abcdefghi")}}, "jwt", "has 9 `audiences`"),
        ({"jwt": {**_TOKEN, "claims": {key: ["x"] for key in "abcde"}}}, "jwt", "has 5 `claims`"),
        (
            {"jwt": {**_TOKEN, "claims": {"https://a.com/team": ["x"]}}},
            "jwt",
            'the claim "https://a.com/team" is a URL',
        ),
        ({"oidc": {**_OIDC, "callback": "/logout"}}, "oidc", "`callback` is a path that has another meaning"),
        ({"oidc": {**_OIDC, "callback": "/"}}, "oidc", "`callback` is a path that has another meaning"),
        ({"oidc": {**_OIDC, "callback": "/a/*"}}, "oidc.callback", '"/a/*" is every path below another'),
        ({"oidc": {**_OIDC, "issuer": "https://a.com/?x=y"}}, "oidc", '`issuer` is "https://a.com/?x=y"'),
        (
            {"external": {"timeout": "2s", "service": {"namespace": "monitoring", "service": "a", "port": 1}}},
            "external",
            "`timeout` is a helper's",
        ),
    ],
)
def test_what_a_policy_does_not_hold_is_refused(access: dict[str, Any], below: str, wrong: str) -> None:
    """Envoy Gateway refused the policy in the cluster, and answered every request 500; or dropped a key."""
    ((path, found),) = _told(**access, **_ENDED)
    assert path == f"access.{below}"
    assert found.startswith(wrong)
