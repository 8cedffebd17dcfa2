"""The certificates that callers see: where they lie, and what asks cert-manager for them."""

from collections.abc import Iterator
from typing import Any

from components.plan.names import further_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.listeners import Listener, backends_of
from components.settings import Settings


def certificates(settings: Settings, gateway: str) -> Iterator[KubeObject]:
    """What cert-manager is to issue for a Gateway's backends: one Certificate each, in the Gateway's namespace.

    The Secrets that come of them have names of their own, so that none takes the place of somebody else's Secret.
    """
    for name, backend in sorted(backends_of(settings, gateway).items()):
        issuer = None if backend.certificate is None else backend.certificate.issuer
        if issuer is None:
            continue
        yield KubeObject(
            api_version="cert-manager.io/v1",
            kind="Certificate",
            name=name,
            namespace=settings.install.envoy_gateway.namespace,
            spec={
                "secretName": _issued(name),
                "dnsNames": sorted(backend.hostnames or ()),
                "issuerRef": {"group": "cert-manager.io", "kind": issuer.kind, "name": issuer.name},
                # A key that got out is of no use after the next renewal.
                "privateKey": {"rotationPolicy": "Always"},
                "usages": ["digital signature", "key encipherment", "server auth"],
            },
            annotations={DECLARATION: declaration({name: backend})},
        )


def listener_tls(listener: Listener) -> dict[str, Any]:
    """The field `tls` of a Gateway's listener, where callers speak TLS; else nothing."""
    if listener.certificate is None:
        return {"tls": {"mode": "Passthrough"}} if listener.protocol == "TLS" else {}
    secret = listener.certificate.secret
    reference: dict[str, Any] = {
        "group": "",
        "kind": "Secret",
        "name": _issued(listener.backend or "") if secret is None else secret,
    }
    if listener.certificate.namespace is not None:
        reference["namespace"] = listener.certificate.namespace
    return {"tls": {"mode": "Terminate", "certificateRefs": [reference]}}


def _issued(backend: str) -> str:
    """The Secret into which cert-manager writes a backend's certificate."""
    return further_name(backend, "certificate")
