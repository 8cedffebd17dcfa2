"""Who gets in with which token, method and path: what a declaration says of requests, and what its objects say."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.plan import KubeObject, Plan
from tests.support import Values, changed, of_kind, setting

KEYS = json.dumps({"keys": [{"kty": "RSA", "kid": "1", "n": "sXch", "e": "AQAB"}]})
SSO, PARTNER = "https://sso.example.com/realm", "https://partner.example.com/"
_Token = Mapping[str, str | list[str]]
TOKENS: dict[str, _Token | None] = {
    "none": None,
    "of news": {"iss": SSO, "sub": "a", "team": "news"},
    "of both teams": {"iss": SSO, "sub": "a", "team": ["news", "shop"]},
    "of no team": {"iss": SSO, "sub": "a"},
    "of nobody": {"iss": SSO, "team": "news"},
    "of a longer name": {"iss": f"{SSO}/more", "sub": "a", "team": "news"},
    "of the partner": {"iss": PARTNER, "sub": "a", "team": "news"},
}
PATHS = ("/v1/news", "/v1", "/v10", "/status", "/status/x", "/v1/..%2Fadmin", "/v1/%2e;/x", "/a%2Fb")
METHODS = ("GET", "POST")
CLIENTS = ("news/reader", "news/writer", "shop/reader")
HOSTS = ("a.com", "b.com")


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


def asking(destinations: dict[str, Any], **changes: Any) -> Values:
    """A declaration with these destinations, which may name two issuers and two authorizers."""
    mesh: dict[str, Any] = {
        "flavour": "istio-api",
        "issuers": {
            "sso": {"issuer": SSO, "audiences": ["egress"], "jwks": KEYS},
            "partner": {"issuer": PARTNER, "audiences": ["egress"], "jwks": KEYS, "header": "x-partner-token"},
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


def destination(host: str, allow: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A destination of one host, for one client."""
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
    permitted = request.method in allow.get("methods", METHODS) and any(
        request.path == path
        or (path.endswith("/*") and request.path.startswith(path[:-1]) and "%2" not in request.path)
        for path in allow.get("paths", (request.path,))
    )
    return Verdict(
        passes=is_client and permitted and _bears(entry.get("token"), TOKENS[request.token]),
        asked=entry.get("authorizer"),
    )


def _bears(wanted: Mapping[str, Any] | None, token: _Token | None) -> bool:
    if wanted is None:
        return True
    if token is None or "sub" not in token or token["iss"] != {"sso": SSO, "partner": PARTNER}[wanted["issuer"]]:
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
    servers = [server for gateway in istio_gateways(plan) for server in gateway.spec["servers"]]
    (server,) = (server for server in servers if server["port"]["number"] == 80 and host in server["hosts"])
    (sni,) = (each for each in server["hosts"] if each.endswith(".egress.internal"))
    return sni


def istio_gateways(plan: Plan) -> list[KubeObject]:
    """The Gateways of Istio's own API."""
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
    token = TOKENS[request.token]
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
    token = TOKENS[request.token]
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


def guarded() -> Values:
    """A declaration that asks for a token, an authorizer's word and a path."""
    entry = destination("a.com", {"paths": ["/v1/*"]}, token={"issuer": "sso"}, authorizer="judge")
    return asking({"one": entry})
