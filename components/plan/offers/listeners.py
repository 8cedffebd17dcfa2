"""Where Gateways listen, and for which backends: routes, certificates, policies and networks all ask here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from components.plan.names import digest, kube_name
from components.settings import Settings
from components.settings.offers.backends import Backend, Certificate
from components.settings.offers.gateways import BackendGateway
from components.settings.reserved import DEFAULT_GATEWAY, OFFER_PORT, pod_port

CLASS: Final = "cluster-egress"
"""The Gateway `default`, its class and its EnvoyProxy are called so; those of others have it before their name."""


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One listener of a Gateway."""

    name: str
    """Its `sectionName`."""
    port: int
    """The port of the Gateway's Service."""
    protocol: Literal["HTTP", "HTTPS", "TLS", "TCP"]
    """As in Gateway API. TLS without a certificate is passed through."""
    hostname: str | None = None
    """The one name that it answers to. Without it: whatever its routes name, or, for TCP, anything."""
    certificate: Certificate | None = None
    """What callers' TLS ends with."""
    backend: str | None = None
    """The one backend that it leads to, where it is not shared."""

    @property
    def pod_port(self) -> int:
        """Where the proxies listen for it."""
        return pod_port(self.port)


def gateways_of(settings: Settings) -> Mapping[str, BackendGateway]:
    """Every Gateway through which backends are offered, by its name in the settings."""
    return settings.backend_gateways or {DEFAULT_GATEWAY: BackendGateway()}


def gateway_name(name: str) -> str:
    """What a Gateway, its class and its EnvoyProxy are called."""
    return CLASS if name == DEFAULT_GATEWAY else kube_name(CLASS, name)


def backends_of(settings: Settings, gateway: str) -> Mapping[str, Backend]:
    """The backends that a Gateway offers, by name."""
    return {name: backend for name, backend in (settings.backends or {}).items() if backend.offered_by == gateway}


def listeners_of(settings: Settings, gateway: str) -> tuple[Listener, ...]:
    """A Gateway's listeners, those of plain HTTP first, each once."""
    found = {
        listener.name: listener
        for name, backend in sorted(backends_of(settings, gateway).items())
        for listener in (*listeners(name, backend), *redirecting(backend))
    }
    return tuple(sorted(found.values(), key=lambda each: (each.protocol != "HTTP", each.port, each.name)))


def listeners(name: str, backend: Backend) -> tuple[Listener, ...]:
    """Where a backend is listened for: plain text on a listener that is shared, TLS on one for each hostname."""
    port = backend.listening_port
    if backend.protocol == "TCP":
        return (Listener(name=f"tcp-{port}", port=port, protocol="TCP", backend=name),)
    if not backend.speaks_tls:
        return (_plain(port),)
    return tuple(
        Listener(
            name=kube_name(name, digest(hostname, 8)),
            port=port,
            protocol="TLS" if backend.protocol == "TLS" else "HTTPS",
            hostname=hostname,
            certificate=backend.certificate,
            backend=name,
        )
        for hostname in sorted(backend.hostnames or ())
    )


def redirecting(backend: Backend) -> tuple[Listener, ...]:
    """Where plain HTTP is listened for only to send callers to HTTPS."""
    return (_plain(OFFER_PORT),) if backend.https_redirect else ()


def _plain(port: int) -> Listener:
    return Listener(name="http" if port == OFFER_PORT else f"http-{port}", port=port, protocol="HTTP")
