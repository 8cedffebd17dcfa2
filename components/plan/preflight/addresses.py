"""Addresses: each that is written down is judged, and entries that write none need the security team's word."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from components.plan.preflight.asking import asked_by
from components.settings import Settings
from components.settings.problems import Found, Path
from components.settings.reserved import CONTROL_PLANE
from policy.approvals import Approvals
from policy.facts.addresses import AddressClass, classes_in, is_wide

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_EMBEDDING = [int(ipaddress.IPv6Address(prefix)) for prefix in ("::ffff:0:0", "64:ff9b::")]
"""Where IPv6 carries an IPv4 address unchanged to the network (RFC 4291, RFC 6052)."""
_XDS = 15012
"""Where a control plane answers proxies (istio.io, "Ports used by Istio")."""
_GRANTABLE = frozenset({AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.UNIQUE_LOCAL})


def check(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """Every address and port that is asked for and not granted."""
    yield from _public_ranges(settings, approvals, approvals_file)
    for written in _written(settings):
        yield from _judge(written, approvals, approvals_file)
    yield from _wide(settings, approvals_file)
    yield from _node_dns(settings, approvals)


def _public_ranges(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """What is known by name only may be at any public address, so it needs the security team's word."""
    for asked in asked_by(settings):
        if asked.need.cidrs is not None:
            continue
        granted = approvals.public_ranges.get(asked.entry)
        if granted is None:
            yield (
                (*asked.path, "cidrs"),
                "is missing, and no approval stands in for it: which addresses are behind its names?",
                f"the addresses as `cidrs`, or have publicRanges.{asked.entry} added to {approvals_file}",
            )
        elif others := sorted(set(asked.need.hosts) - set(granted.hosts)):
            yield (
                asked.path,
                f"names {', '.join(others)}, which is not approved to be at any public address",
                f"have the host added to publicRanges.{asked.entry}.hosts in {approvals_file}",
            )
        elif missing := sorted(asked.need.ports - set(granted.ports)):
            yield (
                asked.path,
                f"reaches public addresses on port {', '.join(map(str, missing))}, which is not approved",
                f"have the port added to publicRanges.{asked.entry}.ports in {approvals_file}",
            )


@dataclass(frozen=True, kw_only=True)
class _Written:
    """An address or range that an entry writes down."""

    path: Path
    text: str
    entry: str
    ports: frozenset[int]


def _written(settings: Settings) -> Iterator[_Written]:
    """Every address and range, each with the ports on which it is reached."""
    for asked in asked_by(settings):
        for key, texts in asked.written.items():
            for index, text in enumerate(texts):
                path = (*asked.path, key, index)
                yield _Written(path=path, text=text, entry=asked.entry, ports=asked.need.ports)
    for name, backend in (settings.backends or {}).items():
        for key, endpoints in (("endpoints", backend.endpoints), ("standby", backend.standby)):
            for index, endpoint in enumerate(endpoints or ()):
                if endpoint.ip is not None:
                    path = ("backends", name, key, index, "ip")
                    yield _Written(path=path, text=endpoint.ip, entry=name, ports=frozenset({endpoint.port}))
    mesh = settings.egress.mesh.asm
    for index, text in enumerate(() if mesh is None else mesh.control_plane):
        # Where every proxy, and so every client, may connect to besides pods of the cluster.
        path = ("egress", "mesh", "asm", "controlPlane", index)
        yield _Written(path=path, text=text, entry=CONTROL_PLANE, ports=frozenset({_XDS}))


def _wide(settings: Settings, approvals_file: str) -> Found:
    """Half of the internet, in however many pieces, is what `publicRanges` approves, and not for a stack file."""
    for asked in asked_by(settings):
        if is_wide(ipaddress.ip_network(cidr) for cidr in asked.need.cidrs or ()):
            yield (
                (*asked.path, "cidrs"),
                "is too wide for anyone to answer for it as one entry",
                f"narrower ranges, or leave it out and have publicRanges.{asked.entry} added to {approvals_file}",
            )


def _node_dns(settings: Settings, approvals: Approvals) -> Found:
    """Clients may ask it anything, so it is a resolver of the cluster's own or none."""
    text = settings.cluster.node_local_dns
    address = ipaddress.ip_network(text)
    own = [*approvals.cluster.service_cidrs, *approvals.cluster.node_cidrs]
    if classes_in(address) != frozenset({AddressClass.LINK_LOCAL}) and not any(
        is_inside(address, ipaddress.ip_network(each)) for each in own
    ):
        yield (
            ("cluster", "nodeLocalDns"),
            f"{text} is no address of a resolver on the cluster's own nodes",
            "a link-local address such as `169.254.20.10`, or one of the cluster's Services or nodes",
        )


def _judge(written: _Written, approvals: Approvals, approvals_file: str) -> Found:
    """The precedence: never approvable, then approved, then private, then public."""
    network = ipaddress.ip_network(written.text)
    own = approvals.cluster
    ours = [*own.pod_cidrs, *own.service_cidrs, *own.node_cidrs, *own.api_server_addresses]
    if any(overlap(network, ipaddress.ip_network(each)) for each in ours):
        instead = "an address outside; in-cluster traffic needs no declaration"
        yield written.path, f"{written.text} is inside this cluster", instead
        return
    special = classes_in(network)
    never = sorted(special - _GRANTABLE)
    if never:
        yield written.path, f"{written.text} is {never[0]}, which is never a way out", "the service's real address"
        return
    granted = [
        ipaddress.ip_network(cidr)
        for grant in approvals.private_ranges.values()
        if written.entry in grant.entries and written.ports <= set(grant.ports)
        for cidr in grant.cidrs
    ]
    if special and not any(is_inside(network, each) for each in granted):
        yield (
            written.path,
            f"{written.text} is {min(special)} address space, and no approval covers it",
            f"a public address, or have it added to privateRanges in {approvals_file}, with this entry and its ports",
        )


def overlap(asked: _Network, own: _Network) -> bool:
    """Whether they share an address, also where `asked` spells an IPv4 address of ours in IPv6."""
    if asked.version == own.version:
        return asked.overlaps(own)
    if isinstance(asked, ipaddress.IPv4Network) or isinstance(own, ipaddress.IPv6Network):
        return False
    return any(
        asked.overlaps(ipaddress.IPv6Network((prefix + int(own.network_address), 96 + own.prefixlen)))
        for prefix in _EMBEDDING
    )


def is_inside(one: _Network, other: _Network) -> bool:
    """Whether all of `one` is in `other`."""
    if isinstance(one, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and one.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and one.subnet_of(other)
