"""What must be reachable outside, by address and port: whoever opens a network, or approves it, asks here."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from components.settings import Settings
from components.settings.destinations import Destination
from policy.approvals import Approvals
from policy.facts.addresses import special_networks

_ANYWHERE: Final = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
_HTTPS: Final = 443


@dataclass(frozen=True, kw_only=True)
class Need:
    """What one entry of the declaration needs of the network."""

    hosts: tuple[str, ...]
    """Names that are looked up in DNS."""
    cidrs: tuple[str, ...] | None
    """The addresses; `None` for any public address."""
    ports: frozenset[int]


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
    """What each backend needs, by name."""
    needs: dict[str, Need] = {}
    for name, backend in (settings.backends or {}).items():
        endpoints = (*(backend.endpoints or ()), *(backend.standby or ()))
        addresses = tuple(single(endpoint.ip) for endpoint in endpoints if endpoint.ip is not None)
        needs[name] = Need(
            hosts=tuple(endpoint.fqdn for endpoint in endpoints if endpoint.fqdn is not None),
            cidrs=addresses or backend.cidrs,
            ports=frozenset(endpoint.port for endpoint in endpoints),
        )
    return needs


def of_issuers(settings: Settings) -> dict[str, Need]:
    """What istiod needs to fetch each issuer's keys, by name; nothing where the settings hold the keys."""
    needs: dict[str, Need] = {}
    for name, issuer in (settings.egress.mesh.issuers or {}).items():
        if issuer.jwks_uri is not None:
            address = urlsplit(issuer.jwks_uri)
            needs[name] = Need(
                hosts=(address.hostname or "",), cidrs=issuer.cidrs, ports=frozenset({address.port or _HTTPS})
            )
    return needs


def opened(needs: Iterable[Need], settings: Settings, approvals: Approvals) -> list[dict[str, Any]]:
    """NetworkPolicy rules, one for each set of ports: the addresses that are needed on exactly these ports."""
    ports_of: defaultdict[str, set[int]] = defaultdict(set)
    for need in needs:
        anywhere = tuple(_ANYWHERE[family] for family in settings.cluster.ip_families)
        for cidr in anywhere if need.cidrs is None else need.cidrs:
            ports_of[cidr] |= need.ports
    blocks: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for cidr, ports in ports_of.items():
        blocks[tuple(sorted(ports))].append(cidr)
    return [
        {"to": [_block(cidr, approvals) for cidr in sorted(cidrs)], "ports": [tcp(port) for port in ports]}
        for ports, cidrs in sorted(blocks.items())
    ]


def tcp(port: int) -> dict[str, Any]:
    """A NetworkPolicy's port."""
    return {"protocol": "TCP", "port": port}


def single(address: str) -> str:
    """One address as a CIDR."""
    return str(ipaddress.ip_network(address))


def _block(cidr: str, approvals: Approvals) -> dict[str, Any]:
    """An ipBlock; any public address is everything less what is not public and less the cluster's own ranges."""
    if cidr not in _ANYWHERE.values():
        return {"ipBlock": {"cidr": cidr}}
    own = approvals.cluster
    version = ipaddress.ip_network(cidr).version
    networks = [
        *special_networks(version),
        *map(ipaddress.ip_network, (*own.pod_cidrs, *own.service_cidrs, *own.node_cidrs)),
        *map(ipaddress.ip_network, own.api_server_addresses),
    ]
    if version == 4:  # noqa: PLR2004 - of IP
        excepted = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv4Network))
    else:
        excepted = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv6Network))
    return {"ipBlock": {"cidr": cidr, "except": [str(network) for network in excepted]}}
