"""What a Gateway's proxies tell, and to whom: access logs, and spans where the mesh has them.

Collectors are Services in other namespaces. Envoy Gateway asks for no ReferenceGrant there, but it must see the
Service, or it refuses the Gateway (envoyproxy/gateway v1.9.1: internal/gatewayapi/listener.go,
processBackendRefsForTelemetry).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.plan.mesh.telemetry import LOG_FIELDS, TRACE_HEADERS, URL_WITHOUT_QUERY
from components.plan.names import further_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.helpers import socket_path
from components.plan.offers.listeners import backends_of, gateway_name, gateways_of
from components.settings import Settings
from components.settings.mesh import Tracing
from components.settings.offers.gateways import BackendGateway, LogCollector

TOKENS: Final = "jwt"
"""What SecurityPolicies call their provider of tokens: logs find by it whose token it was."""
_SUBJECT: Final = f"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{TOKENS}:sub)%"

_FIELDS: Final = {
    **LOG_FIELDS,
    "proxy": "backend-gateway",
    "downstream_direct_remote_address": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
    "downstream_tls_version": "%DOWNSTREAM_TLS_VERSION%",
    "downstream_peer_subject": "%DOWNSTREAM_PEER_SUBJECT%",
    "downstream_peer_dns_names": "%DOWNSTREAM_PEER_DNS_SAN%",
    "token_subject": _SUBJECT,
    "upstream_tls_version": "%UPSTREAM_TLS_VERSION%",
    "upstream_attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
}
"""As the mesh's own log, and what only a way in knows: who called it, how, and how its backend was asked."""


def telemetry(settings: Settings, gateway: str) -> dict[str, Any]:
    """EnvoyProxy's `telemetry`, for the Gateway of this name in the settings.

    Spans go where the mesh's own go. A Gateway begins traces of its own (`untrusted_headers`), of as many requests in
    a hundred as elsewhere.
    """
    tracing = settings.egress.mesh.tracing
    return {
        "accessLog": {"settings": list(_logs(settings, gateway))},
        **({} if tracing is None else {"tracing": _spans(settings, gateway, tracing)}),
    }


def untrusted_headers(settings: Settings) -> tuple[str, ...]:
    """The request headers that a ClientTrafficPolicy takes off before anything else, so that no caller's trace goes on.

    Envoy adds a trace's headers after everything that a route does, and Envoy Gateway v1.9.1 cannot tell it not to
    (HttpConnectionManager.Tracing.no_context_propagation). So backends are told the number of a trace; with this it is
    one that begins here, and nothing of the callers' own.
    """
    return () if settings.egress.mesh.tracing is None else TRACE_HEADERS


def log_receivers(settings: Settings, gateway: str) -> Iterator[KubeObject]:
    """Where a helper takes access logs, if one does: EnvoyProxy takes a Unix socket only through a Backend.

    It must be there before the Gateway, which would be refused without it.
    """
    helper = gateways_of(settings)[gateway].access_log.socket
    if helper is not None:
        yield KubeObject(
            api_version="gateway.envoyproxy.io/v1alpha1",
            kind="Backend",
            name=_receiver(gateway),
            namespace=settings.install.envoy_gateway.namespace,
            spec={"type": "Endpoints", "endpoints": [{"unix": {"path": socket_path(helper)}}]},
            annotations={DECLARATION: declaration(backends_of(settings, gateway))},
        )


def collectors(settings: Settings, gateway: str) -> Mapping[str, LogCollector | Tracing]:
    """The Services that a Gateway's proxies send logs and spans to, by what they get.

    Proxies need the way there in their NetworkPolicy, and Envoy Gateway must watch their namespaces.
    """
    found = {"logs": gateways_of(settings)[gateway].access_log.collector, "spans": settings.egress.mesh.tracing}
    return {what: each for what, each in found.items() if each is not None}


def _logs(settings: Settings, gateway: str) -> Iterator[dict[str, Any]]:
    asked: BackendGateway = gateways_of(settings)[gateway]
    log = asked.access_log
    sinks: list[dict[str, Any]] = []
    if log.stdout:
        sinks.append({"type": "File", "file": {"path": "/dev/stdout"}})
    if log.collector is not None:
        source = {"service.name": _service_name(settings, gateway)}
        to = {"backendRefs": [_service(log.collector)], "resourceAttributes": source}
        sinks.append({"type": "OpenTelemetry", "openTelemetry": to})
    if sinks:
        fields = {**_FIELDS, "gateway": gateway_name(gateway)}
        yield {"format": {"type": "JSON", "json": fields}, "sinks": sinks}
    if log.socket is not None:
        backend = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": _receiver(gateway)}
        # Envoy's own protocol has fields of its own.
        als = {"type": "HTTP", "logName": gateway_name(gateway), "backendRefs": [backend]}
        yield {"sinks": [{"type": "ALS", "als": als}]}


def _spans(settings: Settings, gateway: str, tracing: Tracing) -> dict[str, Any]:
    return {
        "samplingRate": tracing.percent,
        # Envoy's own tag holds the query, and that may hold a secret.
        "tags": {"http.url": URL_WITHOUT_QUERY},
        "provider": {
            "type": "OpenTelemetry",
            "serviceName": _service_name(settings, gateway),
            "backendRefs": [_service(tracing)],
        },
    }


def _service(collector: LogCollector | Tracing) -> dict[str, Any]:
    return {
        "group": "",
        "kind": "Service",
        "name": collector.service,
        "namespace": collector.namespace,
        "port": collector.port,
    }


def _service_name(settings: Settings, gateway: str) -> str:
    """As Envoy Gateway itself names the source of spans."""
    return f"{gateway_name(gateway)}.{settings.install.envoy_gateway.namespace}"


def _receiver(gateway: str) -> str:
    return further_name(gateway_name(gateway), "access-log")
