"""Who gets in with which token, method and path, read from the objects alone; and who is asked about it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import KubeObject, Plan
from tests.support import Values, changed, dev_values, istio_of, of_kind, plan_of, setting

_KEYS = json.dumps({"keys": [{"kty": "RSA", "kid": "1", "n": "sXch", "e": "AQAB"}]})
_SSO, _PARTNER = "https://sso.example.com/realm", "https://partner.example.com/"
_Token = Mapping[str, str | list[str]]
_TOKENS: dict[str, _Token | None] = {
    "none": None,
    "of news": {"iss": _SSO, "sub": "a", "team": "news"},
    "of both teams": {"iss": _SSO, "sub": "a", "team": ["news", "shop"]},
    "of no team": {"iss": _SSO, "sub": "a"},
    "of nobody": {"iss": _SSO, "team": "news"},
    "of a longer name": {"iss": f"{_SSO}/more", "sub": "a", "team": "news"},
    "of the partner": {"iss": _PARTNER, "sub": "a", "team": "news"},
}
_PATHS = ("/v1/news", "/v1", "/v10", "/status", "/status/x", "/v1/..%2Fadmin", "/v1/%2e;/x", "/a%2Fb")
_METHODS = ("GET", "POST")
_CLIENTS = ("news/reader", "news/writer", "shop/reader")
_HOSTS = ("a.com", "b.com")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for, by the way of its host."""

    client: str
    host: str
    token: str
    method: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What becomes of a request."""

    passes: bool
    """Leaving aside what an authorizer says."""
    asked: str | None
    """Which authorizer is asked about it."""


def _values(destinations: dict[str, Any], **changes: Any) -> Values:
    mesh: dict[str, Any] = {
        "flavour": "istio-api",
        "issuers": {
            "sso": {"issuer": _SSO, "audiences": ["egress"], "jwks": _KEYS},
            "partner": {"issuer": _PARTNER, "audiences": ["egress"], "jwks": _KEYS, "header": "x-partner-token"},
        },
        "authorizers": {
            "judge": {"namespace": "monitoring", "service": "judge", "port": 9000},
            "clerk": {
                "namespace": "monitoring",
                "service": "clerk",
                "port": 8000,
                "protocol": "HTTP",
                "timeout": "300ms",
                "headers": ["x-team"],
            },
        },
    }
    values = changed(setting("egress.mesh", {**mesh, **changes}))
    return {**values, "destinations": destinations}


def _destination(host: str, allow: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    port: dict[str, Any] = {"port": 80, "protocol": "HTTP", **({} if allow is None else {"allow": allow})}
    answerable = {"owner": "team", "ticket": "FW-1", "expires": "2029-12-31"}
    clients = {"news": {"serviceAccounts": ["reader"]}}
    return {"hosts": [host], "ports": {"http": port}, "clients": clients, **answerable, **more}


def declared(values: Values, request: Request) -> Verdict:
    """What the declaration says."""
    (entry,) = (each for each in values["destinations"].values() if request.host in each["hosts"])
    namespace, account = request.client.split("/")
    is_client = account in entry["clients"].get(namespace, {}).get("serviceAccounts", [])
    allow = entry["ports"]["http"].get("allow", {})
    permitted = request.method in allow.get("methods", _METHODS) and any(
        request.path == path
        or (path.endswith("/*") and request.path.startswith(path[:-1]) and "%2" not in request.path)
        for path in allow.get("paths", (request.path,))
    )
    return Verdict(
        passes=is_client and permitted and _bears(entry.get("token"), _TOKENS[request.token]),
        asked=entry.get("authorizer"),
    )


def _bears(wanted: Mapping[str, Any] | None, token: _Token | None) -> bool:
    if wanted is None:
        return True
    if token is None or "sub" not in token or token["iss"] != {"sso": _SSO, "partner": _PARTNER}[wanted["issuer"]]:
        return False
    return all(set(values) & set(_several(token, claim)) for claim, values in wanted.get("claims", {}).items())


def _several(token: _Token, claim: str) -> list[str]:
    value = token.get(claim, [])
    return value if isinstance(value, list) else [value]


def planned(plan: Plan, request: Request) -> Verdict:
    """What the objects say (istio.io, "Authorization Policy", "RequestAuthentication", "Virtual Service")."""
    policies = [policy for policy in of_kind(plan, "AuthorizationPolicy") if "rules" in policy.spec]
    sni = _sni(plan, request.host)
    meant = [(policy, rule) for policy in policies for rule in policy.spec["rules"] if _matches(rule, request, sni)]
    asked = {policy.spec["provider"]["name"] for policy, _ in meant if policy.spec["action"] == "CUSTOM"}
    assert len(asked) <= 1
    return Verdict(
        passes=any(policy.spec["action"] == "ALLOW" for policy, _ in meant) and not _refused(plan, request),
        asked=next((name.removeprefix("authorizer-") for name in asked), None),
    )


def _sni(plan: Plan, host: str) -> str:
    servers = [server for gateway in _gateways(plan) for server in gateway.spec["servers"]]
    (server,) = (server for server in servers if server["port"]["number"] == 80 and host in server["hosts"])
    (sni,) = (each for each in server["hosts"] if each.endswith(".egress.internal"))
    return sni


def _gateways(plan: Plan) -> list[KubeObject]:
    return [each for each in of_kind(plan, "Gateway") if each.api_version.startswith("networking.istio.io")]


def _matches(rule: Mapping[str, Any], request: Request, sni: str) -> bool:
    """A rule holds where one of `from`, one of `to` and all of `when` do."""
    sources = [each["source"] for each in rule.get("from", [{"source": {}}])]
    operations = [each["operation"] for each in rule.get("to", [{"operation": {}}])]
    return (
        any(_is_source(source, request) for source in sources)
        and any(_is_operation(operation, request) for operation in operations)
        and all(_holds(condition, request, sni) for condition in rule["when"])
    )


def _is_source(source: Mapping[str, Any], request: Request) -> bool:
    namespace, account = request.client.split("/")
    principal = f"cluster.local/ns/{namespace}/sa/{account}"
    named = principal in source.get("principals", [principal])
    token = _TOKENS[request.token]
    wanted = source.get("requestPrincipals")
    return named and (
        wanted is None
        # istiod cuts at the last slash; a `*` for the subject wants one (pilot/pkg/security/authz/model).
        or any(
            token is not None and token["iss"] == each.rpartition("/")[0] and each.endswith("/*") and "sub" in token
            for each in wanted
        )
    )


def _is_operation(operation: Mapping[str, Any], request: Request) -> bool:
    return (
        _one(operation.get("ports"), "80")
        and _one(operation.get("hosts"), request.host)
        and _one(operation.get("methods"), request.method)
        and _one(operation.get("paths"), request.path)
    )


def _one(patterns: list[str] | None, text: str) -> bool:
    return patterns is None or any(_like(pattern, text) for pattern in patterns)


def _like(pattern: str, text: str) -> bool:
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _holds(condition: Mapping[str, Any], request: Request, sni: str) -> bool:
    if condition["key"] == "connection.sni":
        return _one(condition["values"], sni)
    found = re.fullmatch(r"request\.auth\.claims\[([^\[\]]+)\]", condition["key"])
    assert found is not None
    token = _TOKENS[request.token]
    return token is not None and any(_one(condition["values"], value) for value in _several(token, found[1]))


def _refused(plan: Plan, request: Request) -> bool:
    """Whether the gateway's first route that matches answers by itself."""
    routes = [route for service in of_kind(plan, "VirtualService") for route in service.spec["http"]]
    for route in routes:
        (match,) = route["match"]
        at_gateway = match["gateways"] != ["mesh"] and match["port"] == 80
        named = at_gateway and re.fullmatch(match["authority"]["regex"], request.host)
        if named and ("uri" not in match or re.fullmatch(match["uri"]["regex"], request.path)):
            return "directResponse" in route
    raise AssertionError(f"no route for {request}")


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
    for name, host in zip(("one", "two"), _HOSTS, strict=True):
        more = {"token": draw(_TOKEN), "authorizer": draw(st.sampled_from([None, "judge", "clerk"]))}
        clients = draw(st.lists(st.sampled_from(_CLIENTS), min_size=1, unique=True))
        accounts = {
            namespace: {"serviceAccounts": [each.split("/")[1] for each in clients if each.startswith(namespace)]}
            for namespace in {each.split("/")[0] for each in clients}
        }
        given_keys = {key: value for key, value in more.items() if value is not None}
        found[name] = _destination(host, draw(_ALLOW), **given_keys, clients=accounts)
    return found


@settings(max_examples=30, deadline=None)
@given(destinations=_destinations())
def test_who_gets_in_is_what_is_declared(destinations: dict[str, Any]) -> None:
    """Guards against a rule that holds for another host, forgets a condition, or reads one as a pattern."""
    values = _values(destinations)
    plan = plan_of(values)
    everything = product(_CLIENTS, _HOSTS, _TOKENS, _METHODS, _PATHS)
    for client, host, token, method, path in everything:
        request = Request(client=client, host=host, token=token, method=method, path=path)
        assert planned(plan, request) == declared(values, request), request


def _guarded(**changes: Any) -> Values:
    entry = _destination("a.com", {"paths": ["/v1/*"]}, token={"issuer": "sso"}, authorizer="judge")
    return changed(lambda values: values.update(changes), _values({"one": entry}))


def test_tokens_are_read_from_headers_of_their_own() -> None:
    """Guards against a gateway that reads `authorization`, and takes tokens of an issuer for any audience."""
    (item,) = of_kind(plan_of(_guarded()), "RequestAuthentication")
    assert item.namespace == "istio-egress"
    assert item.spec["selector"] == {"matchLabels": {"app": "egress-gateway", "istio": "egress-gateway"}}
    assert item.spec["jwtRules"] == [
        {"issuer": _PARTNER, "audiences": ["egress"], "fromHeaders": [{"name": "x-partner-token"}], "jwks": _KEYS},
        {"issuer": _SSO, "audiences": ["egress"], "fromHeaders": [{"name": "x-egress-token"}], "jwks": _KEYS},
    ]


def test_every_gateway_checks_tokens() -> None:
    """Guards against a further gateway that lets everybody with any token pass, or nobody."""
    values = _values(
        {"one": _destination("a.com", token={"issuer": "sso"}, gateway="second")}, gateways={"second": {"replicas": 2}}
    )
    selected = [
        item.spec["selector"]["matchLabels"]["app"] for item in of_kind(plan_of(values), "RequestAuthentication")
    ]
    assert sorted(selected) == ["egress-gateway", "egress-gateway-second"]


def test_authorizers_are_providers() -> None:
    """Guards against an authorizer whose silence means yes, or that istiod does not find."""
    chart = istio_of(plan_of(_guarded())).istiod.values
    assert chart["meshConfig"]["extensionProviders"][2:] == [
        {
            "name": "authorizer-clerk",
            "envoyExtAuthzHttp": {
                "service": "monitoring/clerk.monitoring.svc.cluster.local",
                "port": 8000,
                "timeout": "300ms",
                "failOpen": False,
                "statusOnError": "403",
                "includeRequestHeadersInCheck": ["x-team"],
            },
        },
        {
            "name": "authorizer-judge",
            "envoyExtAuthzGrpc": {
                "service": "monitoring/judge.monitoring.svc.cluster.local",
                "port": 9000,
                "timeout": "1s",
                "failOpen": False,
                "statusOnError": "403",
            },
        },
    ]
    assert chart["env"] == {"PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS": "true"}


def test_without_authorizers_istiod_is_told_of_none() -> None:
    """Guards against an istiod that restarts for what nobody uses."""
    chart = istio_of(plan_of(dev_values())).istiod.values
    assert "env" not in chart
    assert not any("envoyExtAuthz" in kind for each in chart["meshConfig"]["extensionProviders"] for kind in each)
    assert chart["meshConfig"]["pathNormalization"] == {"normalization": "BASE"}


def test_rules_of_authorizers_name_ports_of_requests() -> None:
    """Guards against TLS of others that is sent to an authorizer: istiod drops `hosts` from rules for TCP."""
    values = _guarded()
    ports = {"https": {"port": 443, "protocol": "TLS"}, "tcp": {"port": 5432, "protocol": "TCP"}}
    values["destinations"]["lanes"] = {**_destination("b.com"), "ports": ports, "addresses": ["8.8.8.8"]}
    plan = plan_of(values)
    lanes = {
        server["port"]["number"]
        for gateway in _gateways(plan)
        for server in gateway.spec["servers"]
        if server["port"]["protocol"] != "HTTPS"
    }
    (custom,) = (each for each in of_kind(plan, "AuthorizationPolicy") if each.spec.get("action") == "CUSTOM")
    named = {port for rule in custom.spec["rules"] for to in rule["to"] for port in to["operation"]["ports"]}
    assert lanes
    assert named == {"80"}


def test_what_is_for_the_gateway_stays_there() -> None:
    """Guards against tokens that leave, and against headers by which a framework takes another method or path."""
    removed = _removed(plan_of(_guarded()))
    assert {"x-egress-token", "x-partner-token", "x-http-method-override", "x-original-url"} <= removed
    unlimited = _values({"one": _destination("a.com")})
    assert "x-http-method-override" not in _removed(plan_of(unlimited))


def _removed(plan: Plan) -> set[str]:
    (service,) = of_kind(plan, "VirtualService")
    return {
        name for route in service.spec["http"] for name in route.get("headers", {}).get("request", {}).get("remove", [])
    }


@pytest.mark.parametrize("kind", ["RequestAuthentication", "CUSTOM", "directResponse", "x-http-method-override"])
def test_observing_refuses_nothing(kind: str) -> None:
    """Guards against a first look that answers 401 or 403, or asks somebody who may be away."""
    values = _guarded()
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
