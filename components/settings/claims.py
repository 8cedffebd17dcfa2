"""Do the hosts and ports of all destinations fit together? A host and port means one thing, whoever declares it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from components.settings.destinations import Destination, DestinationPort
from components.settings.parts import Parts
from components.settings.problems import Path
from components.settings.reserved import ISTIO_PORTS, LANES, MOST_TLS_PORTS, OFFER_PORT, ORIGINATION

_Found = Iterator[tuple[Path, str, str]]
_SHARED_BY_HOST = ("served_by", "addresses", "gateway", "token", "authorizer")
"""What two destinations of one host must say alike."""


def check(parts: Parts) -> _Found:
    """Every problem between the ports and hosts of destinations."""
    yield from _claims(parts)
    yield from _hosts(parts)
    yield from _places(parts)
    yield from _ports(parts)
    yield from _one_kind_a_port(parts)
    yield from _many_lanes(parts)
    yield from _same_address(parts)


def _claims(parts: Parts) -> _Found:
    """Clients of equal claims are added up; what is done with them must be the same."""
    handling: dict[tuple[str, int], tuple[str, DestinationPort]] = {}
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            path = ("destinations", name, "ports", port_name)
            for host in destination.hosts:
                first, other = handling.setdefault((host, port.client_port), (name, port))
                if other.protocol != port.protocol:
                    yield (
                        (*path, "protocol"),
                        f"{host}:{port.client_port} is {port.protocol} here and {other.protocol} "
                        f"in destinations.{first}",
                        f"the same protocol in both, for example {other.protocol}",
                    )
                elif other != port:
                    yield (
                        path,
                        f"{host}:{port.client_port} is handled in another way in destinations.{first}",
                        "the same in both, or one destination for all its clients",
                    )
            if sum(other.client_port == port.client_port for other in destination.ports.values()) > 1:
                yield (*path, "port"), f"port {port.client_port} is there twice", "each port under one name"


def _hosts(parts: Parts) -> _Found:
    """Where a host stands, and who is asked about it, is one thing as well."""
    owners: dict[str, str] = {}
    for name, destination in parts.destinations.items():
        for index, host in enumerate(destination.hosts):
            first = owners.setdefault(host, name)
            other = parts.destinations[first]
            differ = [key for key in _SHARED_BY_HOST if _said(destination, key) != _said(other, key)]
            if differ:
                yield (
                    ("destinations", name, "hosts", index),
                    f"{host} is also in destinations.{first}, with another {' and '.join(map(_spelt, differ))}",
                    "the same in both, or one destination for all its clients",
                )


def _places(parts: Parts) -> _Found:
    """Does every host stand somewhere, and only there?"""
    for name, destination in parts.destinations.items():
        path: Path = ("destinations", name)
        if destination.addresses is not None:
            for key, other in (("servedBy", destination.served_by), ("cidrs", destination.cidrs)):
                if other is not None:
                    yield (*path, key), "says where the hosts are, as `addresses` do", "one of them"
        wildcards = [index for index, host in enumerate(destination.hosts) if host.startswith("*")]
        if destination.served_by is not None and len(wildcards) < len(destination.hosts):
            yield (*path, "servedBy"), "is for wildcards, and not all these hosts are", "leave it out"
        for index in wildcards:
            at = (*path, "hosts", index)
            if destination.addresses is None and destination.served_by is None:
                yield (
                    at,
                    f"{destination.hosts[index]} is a wildcard, and nothing says where its names are: the gateway "
                    "would have to connect to whatever name the client claims",
                    "each host by its full name; or `servedBy`, one host that answers for all; or `addresses`",
                )
            if any(port.protocol == "TCP" for port in destination.ports.values()):
                yield at, "means nothing in TCP, which carries no name", "a full name"


def _said(destination: Destination, key: str) -> Any:
    return getattr(destination, key)


def _spelt(key: str) -> str:
    return "`servedBy`" if key == "served_by" else f"`{key}`"


def _ports(parts: Parts) -> _Found:
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            at: Path = ("destinations", name, "ports", port_name)
            asked: list[tuple[Path, int]] = [((*at, "port"), port.port)]
            asked += [] if port.tls is None else [((*at, "tls", "clientPort"), port.client_port)]
            for path, number in asked:
                if number in ISTIO_PORTS:
                    yield path, f"port {number} belongs to Istio's own proxies", "another port of the same service"
                is_called = number == port.client_port
                if is_called and (number in ORIGINATION or (number in LANES and port.is_http)):
                    yield path, f"port {number} is one of the gateway's lanes", "another port of the same service"


def _one_kind_a_port(parts: Parts) -> _Found:
    """A sidecar reads a port as HTTP or as TLS, for all hosts that its namespace may reach; istiod drops the other.

    TCP is known by its address, so it meets only what has the same one (`_same_address`).
    """
    first_use: dict[tuple[str, int], tuple[str, str]] = {}
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            if port.protocol == "TCP":
                continue
            if parts.backends and port.client_port == OFFER_PORT and port.protocol == "TLS":
                yield (
                    ("destinations", name, "ports", port_name, "protocol"),
                    f"port {OFFER_PORT} is HTTP in every client namespace, because backends are offered there",
                    "another port of the same service",
                )
            for namespace in destination.clients:
                first, protocol = first_use.setdefault((namespace, port.client_port), (name, port.protocol))
                both = set(destination.hosts) & set(parts.destinations[first].hosts)
                if (protocol == "TLS") != (port.protocol == "TLS") and not both:  # of one host, `_claims` speaks
                    yield (
                        ("destinations", name, "ports", port_name, "protocol"),
                        f"namespace `{namespace}` uses port {port.client_port} as {protocol} in destinations.{first}, "
                        f"and its sidecars cannot read it as {port.protocol} too",
                        "the same protocol, another port, or clients in another namespace",
                    )


def _many_lanes(parts: Parts) -> _Found:
    """A host stays in one chunk, so its TLS and TCP ports need a lane each, whichever destinations name them."""
    lanes_of: defaultdict[str, set[int]] = defaultdict(set)
    originated: defaultdict[str, set[int]] = defaultdict(set)
    for name, destination in parts.destinations.items():
        lanes = {port.port for port in destination.ports.values() if not port.is_http}
        starts = {port.client_port for port in destination.ports.values() if port.tls is not None}
        for host in destination.hosts:
            lanes_of[host] |= lanes
            originated[host] |= starts
        for own, ports_of, most, kind in (
            (lanes, lanes_of, MOST_TLS_PORTS, "TLS"),
            (starts, originated, len(ORIGINATION), "`tls`"),
        ):
            host, count = max(((host, len(ports_of[host])) for host in destination.hosts), key=lambda each: each[1])
            if own and count > most:
                yield (
                    ("destinations", name, "ports"),
                    f"makes {count} {kind} ports for {host}; the gateway has lanes for {most} of one host",
                    "fewer ports",
                )


def _same_address(parts: Parts) -> _Found:
    """A sidecar knows TCP by address and port, so two hosts of one address and port are one to it."""
    first_use: dict[tuple[str, str, int], tuple[str, str]] = {}
    for name, destination in parts.destinations.items():
        for port_name, port in destination.ports.items():
            if port.protocol != "TCP" or destination.addresses is None:
                continue
            for host in destination.hosts:
                for namespace in destination.clients:
                    for address in destination.addresses:
                        first, other = first_use.setdefault((namespace, address, port.client_port), (name, host))
                        if other != host:
                            yield (
                                ("destinations", name, "ports", port_name, "port"),
                                f"{address}:{port.client_port} is {other} in destinations.{first} already, and "
                                f"sidecars in `{namespace}` know TCP by its address",
                                "one host for the address, another port, or clients in another namespace",
                            )
