"""The stack output for firewall teams: a documented, versioned structure (docs/reference/handoff.md)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.plan import network_needs
from components.plan.cloud.seen_as import connected_cidrs, source_cidrs
from components.plan.egress_gateway import direct_namespaces, gateways_of
from components.plan.network_needs import Fetcher, Need
from components.plan.objects import KubeObject, Plain
from components.plan.offers.listeners import gateways_of as backend_gateways_of
from components.plan.offers.listeners import listeners_of
from components.settings import Settings
from components.settings.cloud.addresses import NatAddresses
from components.settings.destinations import Destination, DestinationPort
from components.settings.egress import FurtherGateway
from components.settings.offers.backends import Backend
from components.settings.offers.gateways import BackendGateway
from components.settings.types import Answerable

VERSION: Final = 2
"""Raised when a reader of the old structure would misread the new one."""


def handoff(settings: Settings, *, stack: str, planned: Sequence[KubeObject]) -> dict[str, Any]:
    """What a firewall team needs: which addresses send, what they reach, who answers for it and until when.

    Args:
        settings: the declaration.
        stack: its name.
        planned: NetworkPolicies that `observe` holds back.
    """
    needs = network_needs.of_backends(settings)
    return {
        "version": VERSION,
        "stack": stack,
        "cluster": settings.cluster.name,
        "posture": settings.egress.posture,
        "sources": _sources(settings),
        "gateways": [
            {"name": name, "cidrs": _seen_as(settings, gateway)}
            for name, gateway in gateways_of(settings).items()
            if name is not None
        ],
        "destinations": [
            _destination(settings, name, destination) for name, destination in sorted(settings.destinations.items())
        ],
        "backendGateways": [
            _backend_gateway(settings, name, gateway) for name, gateway in sorted(_backend_gateways(settings).items())
        ],
        "backends": [
            _backend(name, backend, needs[name]) for name, backend in sorted((settings.backends or {}).items())
        ],
        "fetched": [
            *_fetched_by_the_mesh(settings),
            *_fetched_by_nodes(settings),
            *_fetched_for_backends(settings),
        ],
        "planned": sorted(f"{item.kind} {item.namespace}/{item.name}" for item in planned),
    }


def with_addresses(handoff: Plain, cidrs: object) -> Plain:
    """The hand-off with the addresses that only the cloud knows, wherever they are meant."""

    def known(source: Plain) -> Plain:
        return {**source, "cidrs": cidrs} if source["cidrs"] is None else source

    senders = {key: [known(each) for each in handoff[key]] for key in ("gateways", "backendGateways")}
    return {**handoff, "sources": known(handoff["sources"]), **senders}


def _sources(settings: Settings) -> dict[str, Any]:
    addresses = settings.egress.addresses
    seen = {"mode": addresses.mode, "cidrs": _seen_as(settings, settings.egress.mesh.gateway)}
    return seen | ({"connected": [*connected_cidrs(settings)]} if isinstance(addresses, NatAddresses) else {})


def _seen_as(settings: Settings, gateway: FurtherGateway | BackendGateway) -> list[str] | None:
    """`None`: elastic IP addresses, which the program adds once the cloud has given them."""
    cidrs = source_cidrs(settings, gateway.addresses)
    return None if cidrs is None else sorted(cidrs)


def _answerable(entry: Answerable) -> dict[str, str]:
    return {"owner": entry.owner, "ticket": entry.ticket, "expires": entry.expires.isoformat()}


def _destination(settings: Settings, name: str, destination: Destination) -> dict[str, Any]:
    need = network_needs.of_destination(destination)
    direct = direct_namespaces(settings)
    through = {namespace: client for namespace, client in destination.clients.items() if namespace not in direct}
    return {
        "name": name,
        "gateway": destination.gateway,
        "hosts": sorted(destination.hosts),
        "cidrs": None if need.cidrs is None else sorted(need.cidrs),
        "ports": [
            {"port": number, "protocol": protocol}
            for number, protocol in sorted({(port.port, _seen(port)) for port in destination.ports.values()})
        ],
        "clients": sorted(
            f"{namespace}/{account}"
            for namespace, client in through.items()
            for account in client.service_accounts or ("*",)
        ),
        "withoutGateway": sorted(namespace for namespace in destination.clients if namespace in direct),
        **_answerable(destination),
    }


def _seen(port: DestinationPort) -> str:
    """The protocol as a firewall outside sees it."""
    return port.protocol if port.tls is None else "TLS"


def _backend_gateways(settings: Settings) -> Mapping[str, BackendGateway]:
    return {} if settings.backends is None else backend_gateways_of(settings)


def _backend_gateway(settings: Settings, name: str, gateway: BackendGateway) -> dict[str, Any]:
    """Both sides of a Gateway: as what it is seen outside, and from where it is reached."""
    return {
        "name": name,
        "cidrs": _seen_as(settings, gateway),
        "exposure": gateway.exposure,
        "callers": sorted(gateway.source_ranges or ()),
        "ports": sorted({listener.port for listener in listeners_of(settings, name)}),
    }


def _backend(name: str, backend: Backend, need: Need) -> dict[str, Any]:
    return {
        "name": name,
        "gateway": backend.offered_by,
        **_reached(need, _spoken(backend)),
        "offeredAs": sorted(backend.hostnames or ()),
        **_answerable(backend),
    }


def _spoken(backend: Backend) -> str:
    """The protocol that leaves: of TLS that ends at the Gateway, what was in it."""
    if backend.tls is not None:
        return "TLS"
    return "TCP" if backend.protocol == "TLS" and backend.certificate is not None else backend.protocol


def _fetched_by_the_mesh(settings: Settings) -> Iterator[dict[str, Any]]:
    for name, need in sorted(network_needs.of_issuers(settings).items()):
        yield {"name": name, "by": "istiod", "gateway": None, **_reached(need, "TLS")}


def _fetched_by_nodes(settings: Settings) -> Iterator[dict[str, Any]]:
    for name, fetch in sorted(network_needs.node_fetches(settings).items()):
        need = network_needs.of_node_fetch(fetch)
        yield {"name": name, "by": "nodes", "gateway": None, **_reached(need, "TLS"), **_answerable(fetch)}


def _fetched_for_backends(settings: Settings) -> Iterator[dict[str, Any]]:
    backends = settings.backends or {}
    for fetch in network_needs.of_fetches(settings):
        backend = backends[fetch.backend]
        gateway = backend.offered_by if fetch.by is Fetcher.PROXIES else None
        yield {
            "name": fetch.backend,
            "by": fetch.by.value,
            "gateway": gateway,
            **_reached(fetch.need, "TLS"),
            **_answerable(backend),
        }


def _reached(need: Need, protocol: str) -> dict[str, Any]:
    return {
        "hosts": sorted(need.hosts),
        "cidrs": None if need.cidrs is None else sorted(need.cidrs),
        "ports": [{"port": port, "protocol": protocol} for port in sorted(need.ports)],
    }
