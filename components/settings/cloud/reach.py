"""What the egress nodes' way out cannot carry, or never sees: IPv6, some wildcards, and whoever is on other nodes."""

import ipaddress
from collections.abc import Iterator
from typing import Final

from components.settings.cloud.reading import ADDRESSES, FIREWALL, NODES, CloudParts
from components.settings.offers.backends import Backend
from components.settings.parts import Parts
from components.settings.plain import at, is_list, is_map
from components.settings.problems import Found, Path

_ISSUERS: Final[Path] = ("egress", "mesh", "issuers")


def check(parts: Parts, own: CloudParts) -> Found:
    """Everything that would be declared, and get nowhere."""
    if NODES in own.created:
        yield from _ipv6(parts, own)
    if ADDRESSES in own.created:
        yield from _without_gateway(parts)
    if own.addresses == "nat":
        yield from _fetched_elsewhere(parts)
    if FIREWALL in own.created:
        yield from _wildcards(parts)


def _ipv6(parts: Parts, own: CloudParts) -> Found:
    """A name with addresses of both kinds is reached by IPv4; what is of IPv6 alone is not reached at all."""
    of_nodes = "the vSwitches of the egress nodes have none"
    out = "a NAT gateway has none, and Cloud Firewall sees none there" if own.addresses == "nat" else of_nodes
    for path, text in (*_families(parts), *_addresses(parts)):
        yield path, f"{text} is IPv6, and {out}", "addresses of IPv4"
    for path, text in (*_callers(parts), *_each((*ADDRESSES, "cidrs"), at(parts.plain, *ADDRESSES, "cidrs"))):
        yield path, f"{text} is IPv6, and {of_nodes}", "addresses of IPv4"


def _families(parts: Parts) -> Iterator[tuple[Path, str]]:
    families = at(parts.plain, "cluster", "ipFamilies")
    for index, family in enumerate(families if is_list(families) else ()):
        if family == "IPv6":
            yield ("cluster", "ipFamilies", index), "what pods also have"


def _addresses(parts: Parts) -> Iterator[tuple[Path, str]]:
    """Every address that whoever is on the egress nodes connects to."""
    for name, destination in parts.destinations.items():
        gateway: Path = ("gateway",) if destination.gateway is None else ("gateways", destination.gateway)
        if at(parts.plain, "egress", "mesh", *gateway, "addresses") is None:
            yield from _each(("destinations", name, "addresses"), destination.addresses)
            yield from _each(("destinations", name, "cidrs"), destination.cidrs)
    for name, backend in parts.backends.items():
        if _is_on_egress_nodes(parts, backend):
            yield from _of_backend(("backends", name), backend)
    fetches = at(parts.plain, *NODES, "fetches")
    for name in fetches if is_map(fetches) else ():
        yield from _each((*NODES, "fetches", name, "cidrs"), at(fetches, name, "cidrs"))
    yield from _each(
        ("egress", "mesh", "asm", "controlPlane"), at(parts.plain, "egress", "mesh", "asm", "controlPlane")
    )


def _callers(parts: Parts) -> Iterator[tuple[Path, str]]:
    """Whom security groups let in to the proxies of backends there."""
    for name, gateway in parts.backend_gateways.items() if parts.backend_names else ():
        if gateway is not None and gateway.nodes == "egress":
            yield from _each(("backendGateways", name, "sourceRanges"), gateway.source_ranges)


def _is_on_egress_nodes(parts: Parts, backend: Backend) -> bool:
    gateway = parts.backend_gateways.get(backend.offered_by)
    return gateway is not None and gateway.addresses is None


def _of_backend(path: Path, backend: Backend) -> Iterator[tuple[Path, str]]:
    for key, endpoints in (("endpoints", backend.endpoints), ("standby", backend.standby)):
        for index, endpoint in enumerate(endpoints or ()):
            if _is_ipv6(endpoint.ip):
                yield (*path, key, index, "ip"), f"{endpoint.ip}"
    yield from _each((*path, "cidrs"), backend.cidrs)
    for key, fetched in (("jwt", backend.access.jwt), ("oidc", backend.access.oidc)):
        yield from _each((*path, "access", key, "cidrs"), None if fetched is None else fetched.cidrs)


def _each(path: Path, values: object) -> Iterator[tuple[Path, str]]:
    for index, value in enumerate(values if is_list(values) else ()):
        if _is_ipv6(value):
            yield (*path, index), str(value)


def _is_ipv6(value: object) -> bool:
    try:
        return isinstance(value, str) and ipaddress.ip_network(value).version == 6  # noqa: PLR2004 - of IP
    except ValueError:
        return False


def _without_gateway(parts: Parts) -> Found:
    roles = parts.namespaces or {}
    for namespace in sorted(filter(parts.is_direct, parts.outbound)):
        if roles.get(namespace) == "client":
            yield (
                ("cluster", "namespaces", namespace, "outbound"),
                "lets clients go straight from their own nodes, and only the egress nodes have a way out",
                "`gateway`",
            )


def _fetched_elsewhere(parts: Parts) -> Found:
    """Neither istiod nor Envoy Gateway's controller is on the egress nodes. ASM's istiod is not in the cluster."""
    issuers = at(parts.plain, *_ISSUERS)
    for name, issuer in issuers.items() if is_map(issuers) and parts.flavour != "asm" else ():
        if at(issuer, "jwksUri") is not None:
            yield (
                (*_ISSUERS, name, "jwksUri"),
                "is fetched by istiod, which is on no egress node and has no way out",
                "`jwks` with the keys themselves",
            )
    for name, backend in parts.backends.items():
        oidc = backend.access.oidc
        if oidc is not None and oidc.endpoints is None:
            yield (
                ("backends", name, "access", "oidc", "endpoints"),
                "is missing: Envoy Gateway's controller would fetch it, which is on no egress node and has no way out",
                "`endpoints` with `authorization` and `token`, as the provider publishes them",
            )


def _wildcards(parts: Parts) -> Found:
    """Cloud Firewall knows names by Host or SNI; all else by the addresses that a name has, and a wildcard has none."""
    for name, destination in parts.destinations.items():
        if destination.cidrs is not None or destination.addresses is not None:
            continue
        plain = [port for port in destination.ports.values() if port.protocol in ("GRPC", "TCP") and port.tls is None]
        for index, host in enumerate(destination.hosts):
            if host.startswith("*") and plain:
                yield (
                    ("destinations", name, "hosts", index),
                    f"is a wildcard, and Cloud Firewall sees no names in {plain[0].protocol} without TLS",
                    "each host by its full name, `cidrs`, or `tls`",
                )
