"""Who gets in with which token, method and path, read from the objects alone."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import KubeObject, Plan
from tests.plan.request_projections import (
    CLIENTS,
    HOSTS,
    KEYS,
    METHODS,
    PARTNER,
    PATHS,
    SSO,
    TOKENS,
    Request,
    asking,
    declared,
    destination,
    guarded,
    planned,
)
from tests.support import Values, changed, of_kind, plan_of, setting

_TOKEN = st.sampled_from(
    [None, {"issuer": "sso"}, {"issuer": "sso", "claims": {"team": ["news"]}}, {"issuer": "partner"}]
)
_ALLOW = st.sampled_from(
    [
        None,
        {"methods": ["GET"]},
        {"paths": ["/v1/*", "/status"]},
        {"paths": ["/v1/*", "/a%2Fb"], "methods": ["POST"]},
        {"paths": ["/a%2Fb"]},
    ]
)


@st.composite
def _destinations(draw: st.DrawFn) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, host in zip(("one", "two"), HOSTS, strict=True):
        more = {"token": draw(_TOKEN), "authorizer": draw(st.sampled_from([None, "judge", "clerk"]))}
        clients = draw(st.lists(st.sampled_from(CLIENTS), min_size=1, unique=True))
        accounts = {
            namespace: {"serviceAccounts": [each.split("/")[1] for each in clients if each.startswith(namespace)]}
            for namespace in {each.split("/")[0] for each in clients}
        }
        given_keys = {key: value for key, value in more.items() if value is not None}
        found[name] = destination(host, draw(_ALLOW), **given_keys, clients=accounts)
    return found


@settings(max_examples=30, deadline=None)
@given(destinations=_destinations())
def test_who_gets_in_is_what_is_declared(destinations: dict[str, Any]) -> None:
    """Guards against a rule that holds for another host, forgets a condition, or reads one as a pattern."""
    values = asking(destinations)
    plan = plan_of(values)
    everything = product(CLIENTS, HOSTS, TOKENS, METHODS, PATHS)
    for client, host, token, method, path in everything:
        request = Request(client=client, host=host, token=token, method=method, path=path)
        assert planned(plan, request) == declared(values, request), request


def test_tokens_are_read_from_headers_of_their_own() -> None:
    """Guards against a gateway that reads `authorization`, and takes tokens of an issuer for any audience."""
    (item,) = of_kind(plan_of(guarded()), "RequestAuthentication")
    assert item.namespace == "istio-egress"
    assert item.spec["selector"] == {"matchLabels": {"app": "egress-gateway", "istio": "egress-gateway"}}
    assert item.spec["jwtRules"] == [
        {"issuer": PARTNER, "audiences": ["egress"], "fromHeaders": [{"name": "x-partner-token"}], "jwks": KEYS},
        {"issuer": SSO, "audiences": ["egress"], "fromHeaders": [{"name": "x-egress-token"}], "jwks": KEYS},
    ]


def test_every_gateway_checks_tokens() -> None:
    """Guards against a further gateway that lets everybody with any token pass, or nobody."""
    values = asking(
        {"one": destination("a.com", token={"issuer": "sso"}, gateway="second")}, gateways={"second": {"replicas": 2}}
    )
    selected = [
        item.spec["selector"]["matchLabels"]["app"] for item in of_kind(plan_of(values), "RequestAuthentication")
    ]
    assert sorted(selected) == ["egress-gateway", "egress-gateway-second"]


def test_what_is_for_the_gateway_stays_there() -> None:
    """Guards against tokens that leave, and against headers by which a framework takes another method or path."""
    removed = _removed(plan_of(guarded()))
    assert {"x-egress-token", "x-partner-token", "x-http-method-override", "x-original-url"} <= removed
    unlimited = asking({"one": destination("a.com")})
    assert "x-http-method-override" not in _removed(plan_of(unlimited))


def _removed(plan: Plan) -> set[str]:
    (service,) = of_kind(plan, "VirtualService")
    return {
        name for route in service.spec["http"] for name in route.get("headers", {}).get("request", {}).get("remove", [])
    }


@pytest.mark.parametrize("kind", ["RequestAuthentication", "CUSTOM", "directResponse", "x-http-method-override"])
def test_observing_refuses_nothing(kind: str) -> None:
    """Guards against a first look that answers 401 or 403, or asks somebody who may be away."""
    values = guarded()
    enforced, observed = (
        str(
            [
                [each.kind, dict(each.spec)]
                for each in _mesh_objects(changed(setting("egress.posture", posture), values))
            ]
        )
        for posture in ("enforce", "observe")
    )
    assert kind in enforced
    assert kind not in observed


def _mesh_objects(values: Values) -> list[KubeObject]:
    plan = plan_of(values)
    kinds = ("RequestAuthentication", "AuthorizationPolicy", "VirtualService")
    return [each for kind in kinds for each in of_kind(plan, kind)]
