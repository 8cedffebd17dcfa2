"""What a SecurityPolicy guards, also where a rule about the policy itself would speak first."""

import datetime as dt
from typing import Any

import pytest

from policy.readers.authentication import read_security_policy
from policy.registry import judge
from policy.rule import UNKNOWN, Context
from policy.subjects import subjects_of

_JWKS = {"uri": "https://login.example.com/jwks.json"}
_PROVIDERS = [{"name": "idp", "remoteJWKS": _JWKS, "extractFrom": {"headers": [{"name": "Authorization"}]}}]
_JWT = {"providers": _PROVIDERS}
_CLAIMS = {"jwt": {"provider": "idp", "scopes": ["read"]}}
_NARROW = {"clientCIDRs": ["47.96.10.0/24"]}
_SERVICE = {"backendRefs": [{"name": "auth", "port": 9000}]}


def _allow(*principals: Any, default: Any = "Deny") -> dict[str, Any]:
    rules = [{"action": "Allow", "principal": principal} for principal in principals]
    return {"authorization": {"defaultAction": default, "rules": rules}}


@pytest.mark.parametrize(
    ("spec", "http", "connections"),
    [
        ({}, False, False),
        ({"jwt": _JWT}, True, False),
        ({"jwt": _JWT | {"optional": False, "failOpen": False}}, True, False),
        ({"jwt": _JWT | {"optional": True}}, False, False),
        ({"jwt": _JWT | {"failOpen": True}}, False, False),
        ({"jwt": _JWT | {"optional": True}} | _allow(_CLAIMS), True, False),
        ({"jwt": _JWT | {"optional": True}} | _allow(_CLAIMS, default="Allow"), False, False),
        ({"jwt": {"providers": []}}, False, False),
        (_allow(_CLAIMS), False, False),
        ({"oidc": {"provider": {"issuer": "https://login.example.com"}}}, True, False),
        ({"oidc": {"provider": {"issuer": "https://login.example.com"}, "passThroughAuthHeader": True}}, False, False),
        ({"extAuth": {"grpc": _SERVICE}}, True, False),
        ({"extAuth": {"grpc": _SERVICE, "failOpen": True}}, False, False),
        ({"extAuth": {}}, False, False),
        ({"basicAuth": {"users": {"name": "htpasswd"}}}, True, False),
        ({"basicAuth": {}}, False, False),
        (_allow(_NARROW), True, True),
        (_allow(_NARROW, default=None), True, True),
        (_allow(_NARROW, default="Allow"), False, False),
        (_allow(_NARROW, default=UNKNOWN), False, False),
        (_allow({"clientCIDRs": ["0.0.0.0/0"]}), False, False),
        (_allow({"clientCIDRs": ["0.0.0.0/1"]}, {"clientCIDRs": ["128.0.0.0/1"]}), False, False),
        (_allow(_NARROW, {"headers": [{"name": "x-user", "values": ["admin"]}]}), False, False),
        (_allow(_NARROW, {"clientIPGeoLocations": [{"country": "CN"}]}), False, False),
        (_allow(_NARROW, {}), False, False),
        (_allow(), True, False),
    ],
)
def test_what_a_policy_guards(spec: dict[str, Any], *, http: bool, connections: bool) -> None:
    """Guards against a policy that counts as authentication and lets everybody in, and the other way round."""
    policy = read_security_policy(_subjects(_policy(spec))[0])
    assert (policy.guards_http, policy.guards_connections) == (http, connections)


@pytest.mark.parametrize(
    ("spec", "rules"),
    [
        ({"jwt": _JWT | {"optional": True}}, {"EGR501", "EGR506"}),
        ({"extAuth": {"grpc": _SERVICE, "failOpen": True}}, {"EGR501", "EGR506"}),
        ({"authorization": {"defaultAction": "Allow", "rules": []}}, {"EGR501", "EGR506"}),
        (_allow({"clientCIDRs": ["0.0.0.0/0"]}), {"EGR501", "EGR507"}),
        ({"jwt": _JWT}, set[str]()),
    ],
)
def test_a_weak_policy_leaves_its_route_unguarded(spec: dict[str, Any], rules: set[str]) -> None:
    """Guards against an exception for the weak policy that would excuse the open route as well."""
    violations = judge(_subjects(_route(), _policy(spec)), Context(today=dt.date(2026, 11, 1)))
    assert {violation.rule.id for violation in violations} == rules


def _policy(spec: dict[str, Any]) -> dict[str, Any]:
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "n9e"}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "SecurityPolicy",
        "metadata": {"name": "n9e", "namespace": "apps"},
        "spec": {"targetRefs": [target]} | spec,
    }


def _route() -> dict[str, Any]:
    reference = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "n9e"}
    spent = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["authorization"]}}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "n9e", "namespace": "apps"},
        "spec": {
            "parentRefs": [{"name": "edge"}],
            "hostnames": ["n9e.example.com"],
            "rules": [{"filters": [spent], "backendRefs": [reference]}],
        },
    }


def _subjects(*objects: dict[str, Any]) -> list[Any]:
    return [subject for whole in objects for subject in subjects_of(whole)]
