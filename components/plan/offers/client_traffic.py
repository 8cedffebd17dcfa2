"""How a Gateway takes what callers send: who they are, which TLS they speak, and what is refused before any route.

A policy for one listener takes the place of the Gateway's, it does not add to it (envoyproxy/gateway:
internal/gatewayapi/clienttrafficpolicy.go). So one function writes both.
"""

from collections.abc import Iterator
from typing import Any, Final

from components.plan.names import further_name
from components.plan.objects import KubeObject
from components.plan.offers.listeners import Listener, gateway_name, gateways_of, listeners_of
from components.plan.offers.telemetry import untrusted_headers
from components.settings import Settings
from components.settings.offers.access import ClientCertificates
from components.settings.offers.gateways import BackendGateway

_PATHS: Final = {"disableMergeSlashes": False, "escapedSlashesAction": "UnescapeAndRedirect"}
"""Envoy Gateway's defaults, written down: routes see a path as the service behind will read it."""


def client_traffic_policies(settings: Settings, gateway: str) -> Iterator[KubeObject]:
    """The Gateway's own policy, and those of listeners whose TLS is another."""
    yield client_traffic(settings, gateway, None)
    for listener in listeners_of(settings, gateway):
        if _own_tls(settings, listener):
            yield client_traffic(settings, gateway, listener)


def client_traffic(settings: Settings, gateway: str, listener: Listener | None) -> KubeObject:
    """One policy, whole in itself.

    Args:
        settings: the declaration.
        gateway: the Gateway's name in the settings.
        listener: the one listener that it is for; `None` for all that have none of their own.
    """
    own = gateway_name(gateway)
    asked = gateways_of(settings)[gateway]
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": own}
    return KubeObject(
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="ClientTrafficPolicy",
        name=own if listener is None else further_name(own, listener.name),
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "targetRefs": [target if listener is None else {**target, "sectionName": listener.name}],
            "clientIPDetection": _detection(asked),
            "tls": {
                "minVersion": asked.min_tls_version,
                **({} if listener is None else _own_tls(settings, listener)),
            },
            **(
                {}
                if asked.max_connections is None
                else {"connection": {"connectionLimit": {"value": asked.max_connections}}}
            ),
            "path": _PATHS,
            "headers": _headers(settings),
        },
    )


def _own_tls(settings: Settings, listener: Listener) -> dict[str, Any]:
    """What the one backend of a listener asks of callers' TLS; a listener that is shared, or passes it on, nothing.

    Where certificates of two listeners are good for one name, Envoy Gateway offers HTTP/1.1 only
    (internal/gatewayapi/listener.go), which gRPC does not speak.
    """
    if listener.backend is None or listener.certificate is None:
        return {}
    backend = (settings.backends or {})[listener.backend]
    certificates = backend.access.client_certificates
    return {
        **({"alpnProtocols": ["h2"]} if backend.protocol == "GRPC" else {}),
        **({} if certificates is None else {"clientValidation": _validation(certificates)}),
    }


def _headers(settings: Settings) -> dict[str, Any]:
    """Nobody forges headers, and nobody learns of the inside.

    All but the last are Envoy Gateway's defaults, written down. Its limits for HTTP/2 are those that Envoy advises at
    the edge already (internal/xds/translator/listener.go).
    """
    traces = untrusted_headers(settings)
    return {
        "enableEnvoyHeaders": False,
        "withUnderscoresAction": "RejectRequest",  # many a server reads `x_user` as `x-user`
        "xForwardedClientCert": {"mode": "Sanitize"},
        "earlyRequestHeaders": {
            **({"remove": list(traces)} if traces else {}),
            # Timeouts and retries by header; behind trusted proxies Envoy takes them from anybody.
            "removeOnMatch": [{"type": "Prefix", "value": "x-envoy-"}],
        },
    }


def _detection(gateway: BackendGateway) -> dict[str, Any]:
    """Whose address counts: always said, so that no header is believed by accident."""
    if gateway.trusted_proxies is None:
        return {"directSourceIP": {}}
    return {"xForwardedFor": {"trustedCIDRs": sorted(gateway.trusted_proxies)}}


def _validation(certificates: ClientCertificates) -> dict[str, Any]:
    validation: dict[str, Any] = {
        "mode": "RequireAndVerify",
        "caCertificateRefs": [{"group": "", "kind": "Secret", "name": certificates.secret}],
    }
    if certificates.names is not None:
        names = [{"type": "Exact", "value": name} for name in sorted(certificates.names)]
        validation["subjectAltNames"] = {"dnsNames": names}
    return validation
