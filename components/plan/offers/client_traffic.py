"""How a Gateway takes what callers send: who they are, which TLS they speak, and what is refused before any route.

A policy for one listener takes the place of the Gateway's, it does not add to it (envoyproxy/gateway:
internal/gatewayapi/clienttrafficpolicy.go). So one function writes both.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.plan.names import further_name
from components.plan.objects import KubeObject
from components.plan.offers.listeners import Listener, gateway_name, gateways_of, listeners
from components.plan.offers.telemetry import untrusted_headers
from components.settings import Settings
from components.settings.offers.access import ClientCertificates
from components.settings.offers.backends import Backend
from components.settings.offers.gateways import BackendGateway

_PATHS: Final = {"disableMergeSlashes": False, "escapedSlashesAction": "UnescapeAndRedirect"}
"""Envoy Gateway's defaults, written down: routes see a path as the service behind will read it."""


def of_gateway(settings: Settings, gateway: str) -> KubeObject:
    """The policy for all listeners of a Gateway that have none of their own, by the Gateway's name in the settings."""
    return _policy(settings, gateway, None, {})


def of_listeners(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """The policies for a backend's own listeners, where it asks something of callers' TLS."""
    asked = _asked(backend)
    for listener in listeners(name, backend):
        if asked and listener.certificate is not None:
            yield _policy(settings, backend.offered_by, listener, asked)


def _policy(settings: Settings, gateway: str, listener: Listener | None, tls: Mapping[str, Any]) -> KubeObject:
    """One policy, whole in itself."""
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
            "tls": {"minVersion": asked.min_tls_version, **tls},
            **(
                {}
                if asked.max_connections is None
                else {"connection": {"connectionLimit": {"value": asked.max_connections}}}
            ),
            "path": _PATHS,
            "headers": _headers(settings),
        },
    )


def _asked(backend: Backend) -> dict[str, Any]:
    """What a backend asks of callers' TLS, where it ends at the Gateway.

    Where certificates of two listeners are good for one name, Envoy Gateway offers HTTP/1.1 only
    (internal/gatewayapi/listener.go), which gRPC does not speak.
    """
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
