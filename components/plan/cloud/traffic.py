"""What leaves from the egress nodes, as what stands in its way sees it: from where, to where, on which port."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from components.plan import network_needs
from components.plan.egress_gateway import direct_namespaces, gateways_of
from components.plan.flows import Flow, all_flows
from components.plan.network_needs import Fetcher
from components.plan.offers.listeners import gateways_of as backend_gateways_of
from components.settings import Settings
from components.settings.egress import FurtherGateway
from components.settings.offers.backends import Backend
from policy.facts.addresses import AddressClass, classes_in, parse_network

_CONNECTED: Final = {AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.UNIQUE_LOCAL}
"""What addresses of networks are that are connected to the VPC."""
_XDS: Final = 15012
"""Where a mesh's control plane answers proxies (istio.io, "Ports used by Istio")."""


class Source(StrEnum):
    """Whose address is seen."""

    NODES = "nodes"
    """An egress node's: its own traffic, that of pods on its network, and with flannel that of all its pods."""
    PODS = "pods"
    """A gateway's pod's, which has one of its own with terway."""


class Seen(StrEnum):
    """As what the firewall recognises it."""

    HTTP = "http"
    """Requests in plain text, by their `Host`."""
    TLS = "tls"
    """TLS, by its SNI."""
    BYTES = "bytes"
    """Neither: by addresses alone."""


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """What leaves on one port."""

    source: Source
    seen: Seen
    port: int
    names: tuple[str, ...]
    """What it bears on the wire, where `seen` says so; else what is looked up in DNS."""
    cidrs: tuple[str, ...] | None
    """The addresses; `None` for any public one."""


@dataclass(frozen=True, kw_only=True, order=True)
class Traffic:
    """What leaves to one place on one port, as a firewall sees it that reads names."""

    source: Source
    seen: Seen
    port: int
    place: str
    """A name, a wildcard, or a CIDR."""
    is_name: bool


@dataclass(frozen=True, kw_only=True, order=True)
class Opening:
    """What leaves to one range on one port, as a security group sees it, which knows addresses alone."""

    source: Source
    port: int
    cidr: str | None
    """`None`: any public address."""


def traffic(settings: Settings) -> tuple[Traffic, ...]:
    """Everything that is declared and leaves by `egress.addresses`, sorted, each once.

    What bears a name is known by it; what bears none, by its addresses where they are declared. What goes to private
    addresses is not there: networks that are connected to the VPC have routes of their own, past NAT gateways.
    """
    found: set[Traffic] = set()
    for each in leaving(settings):
        if each.cidrs and all(map(_is_private, each.cidrs)):
            continue
        by_address = each.cidrs is not None and (each.seen is Seen.BYTES or not each.names)
        places = [cidr for cidr in each.cidrs or () if not _is_private(cidr)] if by_address else each.names
        for place in places:
            found.add(Traffic(source=each.source, seen=each.seen, port=each.port, place=place, is_name=not by_address))
    return tuple(sorted(found))


def _is_private(cidr: str) -> bool:
    found = classes_in(parse_network(cidr))
    return bool(found) and found <= _CONNECTED


def openings(settings: Settings) -> tuple[Opening, ...]:
    """The same by address, sorted, each once; what may go anywhere comes first."""
    found = {
        Opening(source=each.source, port=each.port, cidr=cidr)
        for each in leaving(settings)
        for cidr in ((None,) if each.cidrs is None else each.cidrs)
    }
    return tuple(sorted(found, key=lambda each: (each.source, each.port, each.cidr or "")))


def leaving(settings: Settings) -> Iterator[Leaving]:
    """Everything that is declared and leaves from the egress nodes."""
    yield from _destinations(settings)
    yield from _control_plane(settings)
    yield from _backends(settings)
    yield from _fetches(settings)
    yield from _nodes(settings)


def senders(settings: Settings) -> frozenset[Source]:
    """Whose addresses leave the VPC at all."""
    gateways = {_sends(settings, gateway) for gateway in gateways_of(settings).values() if gateway.addresses is None}
    proxies = {_pods(settings)} if _ours(settings) else set[Source]()
    return frozenset({*gateways, *proxies, *(each.source for each in _nodes(settings))})


def has_pod_addresses(settings: Settings) -> bool:
    """Whether pods have addresses that are not their node's."""
    return settings.cloud is not None and settings.cloud.pod_network == "terway"


def _pods(settings: Settings) -> Source:
    return Source.PODS if has_pod_addresses(settings) else Source.NODES


def _sends(settings: Settings, gateway: FurtherGateway) -> Source:
    return Source.NODES if gateway.host_network else _pods(settings)


_SPOKEN: Final = {"HTTP": Seen.HTTP, "TLS": Seen.TLS, "GRPC": Seen.BYTES, "TCP": Seen.BYTES}
"""gRPC without TLS is HTTP/2, and no document says that the firewall reads names in that."""


def _destinations(settings: Settings) -> Iterator[Leaving]:
    gateways = gateways_of(settings)
    copied_to = {
        port.routing.mirror.to
        for destination in settings.destinations.values()
        for port in destination.ports.values()
        if port.routing is not None and port.routing.mirror is not None
    }
    for flow in all_flows(settings.destinations, direct_namespaces(settings)):
        gateway = gateways[flow.entry.gateway]
        if gateway.addresses is None and flow.clients:
            seen, name = _seen(flow, copied_to)
            for destination in flow.destinations:
                yield Leaving(
                    source=_sends(settings, gateway),
                    seen=seen,
                    port=flow.spec.port,
                    names=(name,),
                    cidrs=network_needs.of_destination(settings.destinations[destination]).cidrs,
                )


def _seen(flow: Flow, copied_to: set[str]) -> tuple[Seen, str]:
    """As what it is recognised, and by which name. A copy of a request in plain text bears the original's `Host`."""
    tls = flow.spec.tls
    if tls is not None:
        return Seen.TLS, tls.server_name or flow.host
    if flow.protocol == "HTTP" and copied_to & set(flow.destinations):
        return Seen.BYTES, flow.host
    return _SPOKEN[flow.protocol], flow.host


def _control_plane(settings: Settings) -> Iterator[Leaving]:
    """Gateways ask a managed mesh's control plane, which is outside the cluster, for their configuration."""
    mesh = settings.egress.mesh.asm
    for gateway in gateways_of(settings).values():
        if mesh is not None and gateway.addresses is None:
            cidrs = tuple(map(network_needs.single, mesh.control_plane))
            yield Leaving(source=_sends(settings, gateway), seen=Seen.BYTES, port=_XDS, names=(), cidrs=cidrs)


def _backends(settings: Settings) -> Iterator[Leaving]:
    """Requests to a backend bear the names under which it is offered, unless routes change them: no name of its own."""
    source = _pods(settings)
    for backend in _ours(settings).values():
        if backend.resolver is not None:
            names = backend.hostnames or ()
            seen = _asked_by_name(backend)
            yield Leaving(source=source, seen=seen, port=backend.resolver.port, names=names, cidrs=backend.cidrs)
        for endpoint in (*(backend.endpoints or ()), *(backend.standby or ())):
            if endpoint.ip is not None:
                names, cidrs = (), (network_needs.single(endpoint.ip),)
            else:
                names, cidrs = (endpoint.fqdn or "",), backend.cidrs
            seen = Seen.BYTES
            if backend.tls is not None and names:
                seen, names = Seen.TLS, (backend.tls.server_name or names[0],)
            yield Leaving(source=source, seen=seen, port=endpoint.port, names=names, cidrs=cidrs)


def _asked_by_name(backend: Backend) -> Seen:
    """As what a resolver's requests are recognised: HTTP/2 without TLS as gRPC is."""
    if backend.tls is not None:
        return Seen.TLS
    return Seen.BYTES if backend.application_protocol == "h2c" else Seen.HTTP


def _ours(settings: Settings) -> dict[str, Backend]:
    """The backends whose proxies leave by `egress.addresses`."""
    own = {name for name, gateway in backend_gateways_of(settings).items() if gateway.addresses is not None}
    return {name: each for name, each in (settings.backends or {}).items() if each.offered_by not in own}


def _fetches(settings: Settings) -> Iterator[Leaving]:
    ours = _ours(settings)
    for fetch in network_needs.of_fetches(settings):
        if fetch.by is Fetcher.PROXIES and fetch.backend in ours:
            for port in sorted(fetch.need.ports):
                yield Leaving(
                    source=_pods(settings),
                    seen=Seen.TLS,
                    port=port,
                    names=fetch.need.hosts,
                    cidrs=fetch.need.cidrs,
                )


def _nodes(settings: Settings) -> Iterator[Leaving]:
    for fetch in network_needs.node_fetches(settings).values():
        yield Leaving(source=Source.NODES, seen=Seen.TLS, port=fetch.port, names=fetch.hosts, cidrs=fetch.cidrs)
