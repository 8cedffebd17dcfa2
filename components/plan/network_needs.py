"""What must be reachable outside, by address and port: whoever opens a network, or approves it, asks here."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from components.settings import Settings
from components.settings.cloud.nodes import DedicatedNodes, NodeFetch
from components.settings.destinations import Destination
from components.settings.offers.access import Access
from components.settings.offers.backends import Backend

_HTTPS: Final = 443


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one entry of the declaration needs of the network."""

    hosts: tuple[str, ...]
    """Names that are looked up in DNS."""
    cidrs: tuple[str, ...] | None
    """The addresses; `None` for any public address."""
    ports: frozenset[int]


class Fetcher(StrEnum):
    """Who fetches what the checks of callers need."""

    CONTROLLER = "envoy-gateway"
    """Envoy Gateway's controller, from whatever node it runs on."""
    PROXIES = "proxies"
    """The proxies of the backend's Gateway, from the addresses that the outside knows."""


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """What is fetched so that a backend's callers can be checked."""

    backend: str
    key: str
    """Where under the backend's `access` it is asked for: `jwt` or `oidc`."""
    by: Fetcher
    need: Need


def of_destination(destination: Destination) -> Need:
    """What a destination needs."""
    fixed = None if destination.addresses is None else tuple(map(single, destination.addresses))
    return Need(
        hosts=tuple(destination.hosts) if destination.served_by is None else (destination.served_by,),
        cidrs=destination.cidrs if fixed is None else fixed,
        ports=frozenset(port.port for port in destination.ports.values()),
    )


def of_destinations(settings: Settings) -> dict[str, Need]:
    """What each destination needs, by name."""
    return {name: of_destination(destination) for name, destination in settings.destinations.items()}


def of_backends(settings: Settings) -> dict[str, Need]:
    """What each backend needs, by name: nothing outside where it leads to a Service."""
    return {name: _of_backend(backend) for name, backend in (settings.backends or {}).items()}


def of_backend_by_port(backend: Backend) -> Iterator[Need]:
    """What a backend needs on each port: of addresses each has its own, and of names nobody knows which has which."""
    whole = _of_backend(backend)
    endpoints = (*(backend.endpoints or ()), *(backend.standby or ()))
    if whole.hosts:
        yield whole
        return
    for port in sorted(whole.ports):
        there = tuple(single(each.ip) for each in endpoints if each.ip is not None and each.port == port)
        yield Need(hosts=(), cidrs=there, ports=frozenset({port}))


def _of_backend(backend: Backend) -> Need:
    if backend.resolver is not None:
        return Need(hosts=backend.hostnames or (), cidrs=backend.cidrs, ports=frozenset({backend.resolver.port}))
    endpoints = (*(backend.endpoints or ()), *(backend.standby or ()))
    hosts = tuple(endpoint.fqdn for endpoint in endpoints if endpoint.fqdn is not None)
    addresses = tuple(single(endpoint.ip) for endpoint in endpoints if endpoint.ip is not None)
    return Need(
        hosts=hosts,
        cidrs=backend.cidrs if hosts else addresses,
        ports=frozenset(endpoint.port for endpoint in endpoints),
    )


def of_fetches(settings: Settings) -> tuple[Fetch, ...]:
    """What is fetched for all backends, by backend.

    Who fetches what (envoyproxy/gateway v1.9.1): keys of JWT and tokens of OIDC are asked for by Envoy
    (internal/xds/translator/jwt.go, oidc.go), and an OpenID provider's endpoints by the controller, unless both are
    given (internal/gatewayapi/securitypolicy.go, `fetchEndpointsFromIssuer`). OIDC fetches no keys.
    """
    return tuple(
        fetch
        for name, backend in sorted((settings.backends or {}).items())
        for fetch in _fetches_of(name, backend.access)
    )


def _fetches_of(name: str, access: Access) -> Iterator[Fetch]:
    jwt, oidc = access.jwt, access.oidc
    if jwt is not None and jwt.jwks_uri is not None:
        yield Fetch(backend=name, key="jwt", by=Fetcher.PROXIES, need=_fetched(jwt.jwks_uri, jwt.cidrs))
    if oidc is not None and oidc.endpoints is None:
        for fetcher in (Fetcher.CONTROLLER, Fetcher.PROXIES):
            yield Fetch(backend=name, key="oidc", by=fetcher, need=_fetched(oidc.issuer, oidc.cidrs))
    if oidc is not None and oidc.endpoints is not None:
        yield Fetch(backend=name, key="oidc", by=Fetcher.PROXIES, need=_fetched(oidc.endpoints.token, oidc.cidrs))


def of_issuers(settings: Settings) -> dict[str, Need]:
    """What istiod needs to fetch each issuer's keys, by name; nothing where the settings hold the keys."""
    return {
        name: _fetched(issuer.jwks_uri, issuer.cidrs)
        for name, issuer in (settings.egress.mesh.issuers or {}).items()
        if issuer.jwks_uri is not None
    }


def node_fetches(settings: Settings) -> Mapping[str, NodeFetch]:
    """What egress nodes that are created fetch themselves, by name."""
    nodes = settings.egress.nodes
    return (nodes.fetches or {}) if isinstance(nodes, DedicatedNodes) else {}


def of_node_fetch(fetch: NodeFetch) -> Need:
    """What one of these needs."""
    return Need(hosts=fetch.hosts, cidrs=fetch.cidrs, ports=frozenset({fetch.port}))


def _fetched(url: str, cidrs: tuple[str, ...] | None) -> Need:
    address = urlsplit(url)
    return Need(hosts=(address.hostname or "",), cidrs=cidrs, ports=frozenset({address.port or _HTTPS}))


def single(address: str) -> str:
    """One address as a CIDR."""
    return str(ipaddress.ip_network(address))
