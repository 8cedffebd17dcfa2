"""What leaves by our own addresses, as a firewall at the NAT gateway sees it: from where, to where, on which port."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from components.plan import network_needs
from components.plan.egress_gateway import direct_namespaces, gateways_of
from components.plan.flows import all_flows
from components.plan.network_needs import Fetcher
from components.plan.offers.listeners import gateways_of as backend_gateways_of
from components.settings import Settings
from components.settings.cloud.nodes import DedicatedNodes
from components.settings.offers.backends import Backend


class Source(StrEnum):
    """Who sends."""

    GATEWAYS = "gateways"
    """The pods of egress gateways and of backends' Gateways."""
    NODES = "nodes"
    """The egress nodes themselves."""


class Seen(StrEnum):
    """As what the firewall recognises it."""

    HTTP = "http"
    """Requests in plain text, by their `Host`."""
    TLS = "tls"
    """TLS, by its SNI."""
    BYTES = "bytes"
    """Neither: by addresses alone."""


@dataclass(frozen=True, kw_only=True, order=True)
class Traffic:
    """What leaves to one place on one port."""

    source: Source
    seen: Seen
    port: int
    place: str
    """A name, a wildcard, or a CIDR."""
    is_name: bool


_SPOKEN: Final = {"HTTP": Seen.HTTP, "TLS": Seen.TLS, "GRPC": Seen.BYTES, "TCP": Seen.BYTES}
"""gRPC without TLS is HTTP/2, of which no document says that the firewall reads its names."""


def traffic(settings: Settings) -> tuple[Traffic, ...]:
    """Everything that is declared and leaves by `egress.addresses`, sorted, each once."""
    return tuple(sorted({*_destinations(settings), *_backends(settings), *_fetches(settings), *_nodes(settings)}))


def _destinations(settings: Settings) -> Iterator[Traffic]:
    elsewhere = {name for name, gateway in gateways_of(settings).items() if gateway.addresses is not None}
    direct = direct_namespaces(settings)
    for flow in all_flows(settings.destinations, direct):
        if flow.entry.gateway in elsewhere or not flow.clients:
            continue
        seen = Seen.TLS if flow.spec.tls is not None else _SPOKEN[flow.protocol]
        yield from _to((flow.host,), network_needs.of_destination(flow.entry).cidrs, {flow.spec.port}, seen)


def _backends(settings: Settings) -> Iterator[Traffic]:
    """Requests to a backend bear the names under which it is offered, unless routes change them: no name of its own."""
    for backend in _ours(settings).values():
        if backend.resolver is not None:
            seen = Seen.HTTP if backend.tls is None else Seen.TLS
            yield from _to(backend.hostnames or (), None, {backend.resolver.port}, seen)
        for endpoint in (*(backend.endpoints or ()), *(backend.standby or ())):
            if endpoint.ip is not None:
                yield from _to((), (network_needs.single(endpoint.ip),), {endpoint.port}, Seen.BYTES)
            elif backend.tls is not None:
                yield from _to((backend.tls.server_name or endpoint.fqdn or "",), None, {endpoint.port}, Seen.TLS)
            else:
                yield from _to((endpoint.fqdn or "",), backend.cidrs, {endpoint.port}, Seen.BYTES)


def _ours(settings: Settings) -> dict[str, Backend]:
    """The backends whose proxies leave by `egress.addresses`."""
    own = {name for name, gateway in backend_gateways_of(settings).items() if gateway.addresses is not None}
    return {name: each for name, each in (settings.backends or {}).items() if each.offered_by not in own}


def _fetches(settings: Settings) -> Iterator[Traffic]:
    ours = _ours(settings)
    for fetch in network_needs.of_fetches(settings):
        if fetch.by is Fetcher.PROXIES and fetch.backend in ours:
            yield from _to(fetch.need.hosts, fetch.need.cidrs, fetch.need.ports, Seen.TLS)


def _nodes(settings: Settings) -> Iterator[Traffic]:
    nodes = settings.egress.nodes
    fetches = nodes.fetches if isinstance(nodes, DedicatedNodes) else None
    for fetch in (fetches or {}).values():
        yield from _to(fetch.hosts, None, {fetch.port}, Seen.TLS, source=Source.NODES)


def _to(
    hosts: Iterable[str],
    cidrs: Sequence[str] | None,
    ports: Iterable[int],
    seen: Seen,
    *,
    source: Source = Source.GATEWAYS,
) -> Iterator[Traffic]:
    """What bears a name on the wire is known by it; what has none, by its addresses where they are declared."""
    names = list(hosts)
    known = cidrs if cidrs is not None and (seen is Seen.BYTES or not names) else None
    for port in ports:
        for place in names if known is None else known:
            yield Traffic(source=source, seen=seen, port=port, place=place, is_name=known is None)
