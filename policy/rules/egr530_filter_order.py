"""EGR530: filters in an order in which a check sees nothing, or sees our own credential."""

from collections.abc import Iterable, Iterator

from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.reading import Node, Reader, is_empty
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_PREFIX = "envoy.filters.http."
# envoyproxy_types.go: FilterOrder, EnvoyFilter; internal/xds/translator/httpfilters.go.
_DEFAULT = (
    "custom_response",
    "health_check",
    "fault",
    "cors",
    "csrf",
    "header_mutation",
    "ext_authz",
    "api_key_auth",
    "basic_auth",
    "oauth2",
    "jwt_authn",
    "stateful_session",
    "buffer",
    "lua",
    "ext_proc",
    "wasm",
    "dynamic_modules",
    "geoip",
    "rbac",
    "local_ratelimit",
    "ratelimit",
    "bandwidth_limit",
    "grpc_web",
    "grpc_stats",
    "credential_injector",
    "compressor",
    "dynamic_forward_proxy",
)
_RULES, _INJECTOR = "rbac", "credential_injector"
_TOLD_BY = ("jwt_authn", "geoip")
_CHECKS = ("ext_authz", "api_key_auth", "basic_auth", "oauth2", "jwt_authn")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    for proxy in proxy_specs_of(subject, reader):
        positions = reader.field(proxy, "filterOrder")
        if not is_empty(positions):
            order = _ordered(reader, reader.items(positions))
            for message in _said(order):
                reader.report(positions, message)
    return reader.findings


def _said(order: list[str]) -> Iterator[str]:
    for told in _TOLD_BY:
        if order.index(_RULES) < order.index(told):
            yield f"judges authorization before {told}, which it rests on, so no rule that denies by it matches"
    for check in _CHECKS:
        if order.index(_INJECTOR) < order.index(check):
            yield f"adds our own credential before {check} asks the client for one"


def _ordered(reader: Reader, positions: list[Node]) -> list[str]:
    """The default order with each of `positions` applied, one after the other, as Envoy Gateway does."""
    order = [*_DEFAULT]
    for position in positions:
        name, before, after = (
            (reader.text(reader.field(position, key)) or "").removeprefix(_PREFIX)
            for key in ("name", "before", "after")
        )
        anchor = before or after
        if name in order and anchor in order and name != anchor:
            order.remove(name)
            order.insert(order.index(anchor) + (0 if before else 1), name)
    return order


RULE = ObjectRule(
    id="EGR530",
    name="filter-order",
    severity=Severity.BLOCK,
    applies_to=PROXY_KINDS,
    summary="Authorization comes after what it compares is known, and injected credentials after the client's own are "
    "checked.",
    why="Rules that deny by claim or country compare nothing where those are learnt later, so everybody passes. A "
    "credential that is injected first makes every client look like us.",
    remediation="leave filterOrder out, or move neither rbac nor credential_injector before what they follow",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  filterOrder: [{name: envoy.filters.http.local_ratelimit, before: envoy.filters.http.ext_authz}]
""",
    url="https://gateway.envoyproxy.io/docs/api/extension_types/#filterposition",
    source="envoyproxy/gateway: api/v1alpha1/envoyproxy_types.go, internal/xds/translator/httpfilters.go",
    check=_check,
)
