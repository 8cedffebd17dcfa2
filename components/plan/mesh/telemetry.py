"""What proxies report, and to whom: istiod's extension providers for access logs and traces.

A provider says how a line looks or where a span goes; Telemetry objects say which proxies use it (components/plan/
observability.py). Expressions are CEL, read by Envoy's own formatter and filter; `has` comes first wherever a value may
be missing, because an expression that fails prints null, and as a filter keeps the line back.
"""

from typing import Any, Final

from components.plan.mesh.address import pods_of_gateway
from components.settings import Settings

CLIENT_LOG: Final = "egress-client-log"
GATEWAY_LOG: Final = "egress-gateway-log"
TRACES: Final = "egress-traces"
TRACE_HEADERS: Final = ("traceparent", "tracestate")
"""What Envoy's OpenTelemetry tracer adds to requests (W3C Trace Context)."""
URL_WITHOUT_QUERY: Final = "%REQ(:SCHEME)%://%REQ(:AUTHORITY)%%PATH(NQ)%"
"""What spans say of a request's URL."""

_BLOCKED: Final = "has(xds.route_name) && xds.route_name == 'block_all'"
"""HTTP that `enforce` refuses: istiod answers it without a cluster (seen with istiod 1.31 and Envoy 1.40)."""
_LET_GO: Final = "has(xds.cluster_name) && xds.cluster_name in ['BlackHoleCluster', 'PassthroughCluster']"
"""TCP and TLS that `enforce` refuses, and everything that `observe` lets through."""
UNDECLARED: Final = f"({_BLOCKED}) || ({_LET_GO})"
"""At a sidecar: traffic that no destination declares."""
_NOBODY: Final = "!has(xds.cluster_name) || xds.cluster_name == 'BlackHoleCluster'"
"""At a gateway: nothing leads to where the client wanted to go."""
_SERVER_NAME: Final = "has(connection.requested_server_name) && connection.requested_server_name != ''"
_PEER: Final = {
    "sidecar": "%DOWNSTREAM_PEER_URI_SAN%",
    # A waypoint ends the tunnel in one listener and reads what is inside in another (pilot/pkg/xds/filters).
    "ambient": "%FILTER_STATE(io.istio.peer_principal:PLAIN)%",
}
"""At a gateway: the client, as its certificate names it."""

LOG_FIELDS: Final = {
    "start_time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_id": "%TRACE_ID%",
    "protocol": "%PROTOCOL%",
    "method": "%REQ(:METHOD)%",
    # Without the query, which may hold a secret.
    "path": "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "authority": "%REQ(:AUTHORITY)%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "response_code": "%RESPONSE_CODE%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "response_flags": "%RESPONSE_FLAGS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "route_name": "%ROUTE_NAME%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
}
"""Named as in Istio's own JSON log, so that what reads that one reads this one too."""


def leaves(settings: Settings, *, cluster_domain: str) -> str:
    """At a sidecar: traffic that goes to an egress gateway, out of the cluster, or nowhere; none that stays inside."""
    namespace, _ = pods_of_gateway(settings, None)
    inside, gateways = f".svc.{cluster_domain}", f".{namespace}.svc.{cluster_domain}"
    outside = f"!xds.cluster_name.endsWith('{inside}') || xds.cluster_name.endsWith('{gateways}')"
    return f"has(xds.cluster_name) ? {outside} : {_BLOCKED}"


def extension_providers(settings: Settings, *, cluster_domain: str) -> list[dict[str, Any]]:
    """The providers, as in MeshConfig."""
    mesh = settings.egress.mesh
    # A sidecar's outbound side holds no certificate of its client: it is the client, and its pod says who that is.
    account = f"spiffe://{mesh.trust_domain}/ns/%ENVIRONMENT(POD_NAMESPACE)%/sa/%ENVIRONMENT(SERVICE_ACCOUNT)%"
    client = {
        "proxy": "client",
        "client": account,
        "destination": _first("request.host", "connection.requested_server_name", "destination.address"),
        "declared": _printed(f"{UNDECLARED} ? 'no' : 'yes'"),
    }
    # In TLS and TCP a gateway sees the chunk's SNI; where that leads is its cluster.
    gateway = {
        "proxy": "gateway",
        "client": _PEER[mesh.data_plane],
        "destination": _first(
            "request.host", "xds.cluster_name", "connection.requested_server_name", "destination.address"
        ),
        "declared": _printed(f"{_NOBODY} ? 'no' : ({_not_allowed()}) ? 'host-only' : 'yes'"),
    }
    providers = [_file_log(CLIENT_LOG, client), _file_log(GATEWAY_LOG, gateway)]
    if mesh.tracing is not None:
        service = f"{mesh.tracing.service}.{mesh.tracing.namespace}.svc.{cluster_domain}"
        providers.append({"name": TRACES, "opentelemetry": {"service": service, "port": mesh.tracing.port}})
    return providers


def _not_allowed() -> str:
    """At a gateway: no AuthorizationPolicy allows it; with `istio.io/dry-run`, none would."""
    refused = [
        "(has(response.code_details) && response.code_details.startsWith('rbac_access_denied'))",
        "(has(connection.termination_details) && connection.termination_details.startsWith('rbac_access_denied'))",
    ]
    result = "istio_dry_run_allow_shadow_engine_result"
    for name in ("envoy.filters.http.rbac", "envoy.filters.network.rbac"):
        told = f"metadata.filter_metadata['{name}']"
        known = f"'{name}' in metadata.filter_metadata && '{result}' in {told}"
        refused.append(f"({known} && {told}['{result}'] == 'denied')")
    return " || ".join(refused)


def _first(*attributes: str) -> str:
    """The first of these that is there; the last one always is."""
    *others, last = attributes
    expression = last
    for each in reversed(others):
        present = _SERVER_NAME if each == "connection.requested_server_name" else f"has({each})"
        expression = f"{present} ? {each} : {expression}"
    return _printed(expression)


def _printed(expression: str) -> str:
    return f"%CEL({expression})%"


def _file_log(name: str, own: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "envoyFileAccessLog": {"path": "/dev/stdout", "logFormat": {"labels": {**own, **LOG_FIELDS}}},
    }
