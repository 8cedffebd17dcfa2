"""IP addresses and CIDRs: strict reading, unwrapping of embedded IPv4, and one class for each address.

Ambiguous and legacy spellings are refused, never interpreted: two readers of `127.1` or `010.0.0.1`
disagree, and the one that connects is not the one that checked.
"""

import re
from collections.abc import Iterable
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
)

from policy.facts.special_ranges import SPECIAL_RANGES, AddressClass

__all__ = [
    "AddressClass",
    "canonical_network",
    "classes_in",
    "classify",
    "covers_everything",
    "embedded_ipv4",
    "holds",
    "is_address",
    "is_wide",
    "network_of",
    "parse_address",
    "parse_network",
    "special_networks",
]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_ADDRESS_SHAPE = re.compile(r"[0-9A-Fa-f:.]{2,45}")
_IPV4 = 4
_V4_BITS = 32
_V6_BITS = 128
_V4_MASK = 0xFFFF_FFFF

# A /16 of IPv4 and a provider's /32 of IPv6 are the largest single blocks that somebody can still answer for.
_NARROWEST_WIDE_PREFIX = {4: 15, 6: 31}
# Many narrow blocks together are wide once they hold more than 256 of those.
_WIDE_TOTAL = {4: 2 ** (16 + 8), 6: 2 ** (96 + 8)}

# Only these two carry an IPv4 address unchanged to the network, so they are what the IPv4 address is.
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_TRANSPARENT = (_MAPPED, _NAT64)
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, deprecated
_SIIT = IPv6Network("::ffff:0:0:0/96")  # RFC 2765
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215
# In these the IPv4 address directly follows the prefix.
_PREFIXED = (*_TRANSPARENT, _COMPATIBLE, _SIIT, _SIX_TO_FOUR)
_GLOBAL_UNICAST = IPv6Network("2000::/3")

# Worst first: what an address that embeds several others is taken for.
_WORST_FIRST = tuple(AddressClass)


def parse_address(text: str) -> Address:
    """Read an address in its one unambiguous form.

    Raises:
        ValueError: anything else: zero-padded octets, `127.1`, hex, decimal integers, zone ids, brackets,
            ports, prefixes, white space, digits outside ASCII.
    """
    if not _ADDRESS_SHAPE.fullmatch(text):
        raise ValueError(f"{text!r} is not a plain IPv4 or IPv6 address")
    return ip_address(text)


def is_address(text: str) -> bool:
    """Whether `parse_address` can read `text`."""
    try:
        parse_address(text)
    except ValueError:
        return False
    return True


def parse_network(text: str) -> Network:
    """Read a CIDR, or a bare address as a network of one; host bits are dropped, as every enforcer does.

    Raises:
        ValueError: the address is not in its strict form, or the prefix is not a plain number in range.
    """
    address_text, slash, prefix = text.partition("/")
    address = parse_address(address_text)
    if slash == "":
        prefix = str(address.max_prefixlen)
    if not (prefix.isascii() and prefix.isdecimal()) or (len(prefix) > 1 and prefix.startswith("0")):
        raise ValueError(f"{text!r} does not end in a prefix length")
    network = IPv4Network if isinstance(address, IPv4Address) else IPv6Network
    return network(f"{address}/{prefix}", strict=False)


def network_of(address: Address) -> Network:
    """The network that holds `address` and nothing else."""
    network = IPv4Network if isinstance(address, IPv4Address) else IPv6Network
    return network((int(address), address.max_prefixlen))


def holds(outer: Network, inner: Network) -> bool:
    """Whether every address of `inner` is in `outer`; none is in a network of the other IP version."""
    return outer.version == inner.version and outer.prefixlen <= inner.prefixlen and outer.overlaps(inner)


def embedded_ipv4(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that `address` carries, none for a plain address.

    Mapped and compatible (RFC 4291), SIIT-translated (RFC 2765), NAT64 with the well-known prefix (RFC 6052)
    and with the local-use prefix (RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380: its server and its client).
    """
    if isinstance(address, IPv4Address):
        return ()
    value = int(address)
    for prefix in _PREFIXED:
        if address in prefix:
            return (IPv4Address(value >> _bits_after_ipv4(prefix) & _V4_MASK),)
    if address in _TEREDO:
        return (IPv4Address(value >> 64 & _V4_MASK), IPv4Address(~value & _V4_MASK))
    if address in _LOCAL_NAT64:
        return _local_nat64(value)
    return ()


def canonical_network(network: Network) -> Network:
    """`network` as what is really connected to: the IPv4 network inside a mapped or NAT64 one, else itself."""
    if isinstance(network, IPv6Network):
        for prefix in _TRANSPARENT:
            if network.subnet_of(prefix):
                return _inner(network, prefix)
    return network


def classify(address: Address) -> AddressClass:
    """The class of `address`, by the longest matching range, after unwrapping the IPv4 addresses in it.

    A mapped or NAT64 address is what its IPv4 address is. In every other embedding the worst wins, and none
    is public: those tunnels are historic, or belong to one network.
    """
    own = _class_by_table(address)
    if isinstance(address, IPv4Address):
        return own
    embedded = [_class_by_table(inner) for inner in embedded_ipv4(address)]
    if any(address in prefix for prefix in _TRANSPARENT):
        return embedded[0]
    return min((own, *embedded), key=_WORST_FIRST.index)


@cache
def special_networks(version: int) -> tuple[Network, ...]:
    """The fewest networks that hold exactly what is not public unicast in IP `version` (4 or 6)."""
    special_v4 = [row.network for row in SPECIAL_RANGES if isinstance(row.network, IPv4Network)]
    if version == _IPV4:
        return tuple(collapse_addresses(special_v4))
    special = [
        row.network
        for row in SPECIAL_RANGES
        if isinstance(row.network, IPv6Network)
        and row.network.prefixlen > 0  # the row of what is not allocated, worked out below
        and row.address_class != AddressClass.PUBLIC
    ]
    special += [_embed(prefix, network) for prefix in _TRANSPARENT for network in special_v4]
    unallocated = [IPv6Network("::/0")]
    for allocated in (_GLOBAL_UNICAST, *_TRANSPARENT):
        unallocated = [piece for network in unallocated for piece in _without(network, allocated)]
    return tuple(collapse_addresses([*special, *unallocated]))


def classes_in(network: Network) -> frozenset[AddressClass]:
    """The classes that `network` touches, also through embedded IPv4; public is not among them."""
    if network.num_addresses == 1:
        return frozenset({classify(network.network_address)} - {AddressClass.PUBLIC})
    found = {row.address_class for row in SPECIAL_RANGES if _touches(row.network, network)}
    if isinstance(network, IPv6Network):
        for prefix in _PREFIXED:
            if network.overlaps(prefix):
                found |= classes_in(_inner(network, prefix))
    return frozenset(found - {AddressClass.PUBLIC})


def covers_everything(networks: Iterable[Network]) -> bool:
    """Whether `networks` together hold every IPv4 or every IPv6 address, in however many pieces."""
    return any(network.prefixlen == 0 for network in _collapse(networks))


def is_wide(networks: Iterable[Network]) -> bool:
    """Whether nobody could answer for `networks` as one destination.

    As a set: adjacent blocks count as the block that they make. Wide is a block larger than an IPv4 /16 or an
    IPv6 /32, or blocks that together hold more than 256 of those.
    """
    collapsed = _collapse(networks)
    if any(network.prefixlen <= _NARROWEST_WIDE_PREFIX[network.version] for network in collapsed):
        return True
    totals = {4: 0, 6: 0}
    for network in collapsed:
        totals[network.version] += network.num_addresses
    return any(totals[version] > _WIDE_TOTAL[version] for version in totals)


def _collapse(networks: Iterable[Network]) -> list[Network]:
    every = list(networks)
    collapsed: list[Network] = []
    collapsed += collapse_addresses([network for network in every if isinstance(network, IPv4Network)])
    collapsed += collapse_addresses([network for network in every if isinstance(network, IPv6Network)])
    return collapsed


def _class_by_table(address: Address) -> AddressClass:
    value = int(address)
    for first, last, address_class in _by_length(address.version):
        if first <= value <= last:
            return address_class
    return AddressClass.PUBLIC


@cache
def _by_length(version: int) -> tuple[tuple[int, int, AddressClass], ...]:
    rows = sorted(
        (row for row in SPECIAL_RANGES if row.network.version == version),
        key=lambda row: -row.network.prefixlen,
    )
    return tuple(
        (int(row.network.network_address), int(row.network.broadcast_address), row.address_class) for row in rows
    )


def _touches(special: Network, network: Network) -> bool:
    # ::/0 stands for what is not allocated; a network touches it only where it leaves the allocated space.
    if special.prefixlen == 0:
        longer = [row.network for row in SPECIAL_RANGES if row.network.prefixlen > 0]
        return isinstance(network, IPv6Network) and not any(
            network.subnet_of(known) for known in (*longer, *_TRANSPARENT) if isinstance(known, IPv6Network)
        )
    if isinstance(special, IPv4Network):
        return isinstance(network, IPv4Network) and special.overlaps(network)
    return isinstance(network, IPv6Network) and special.overlaps(network)


def _embed(prefix: IPv6Network, network: IPv4Network) -> IPv6Network:
    first = int(prefix.network_address) | int(network.network_address)
    return IPv6Network((first, prefix.prefixlen + network.prefixlen))


def _without(network: IPv6Network, hole: IPv6Network) -> list[IPv6Network]:
    if not network.overlaps(hole):
        return [network]
    return list(network.address_exclude(hole)) if hole.subnet_of(network) else []


def _bits_after_ipv4(prefix: IPv6Network) -> int:
    return _V6_BITS - prefix.prefixlen - _V4_BITS


def _inner(network: IPv6Network, prefix: IPv6Network) -> IPv4Network:
    """The IPv4 network that `network` spells out inside `prefix`; all of IPv4 where it holds `prefix`."""
    bits = min(max(network.prefixlen - prefix.prefixlen, 0), _V4_BITS)
    first = int(network.network_address) >> _bits_after_ipv4(prefix) & _V4_MASK
    return IPv4Network((first if bits > 0 else 0, bits))


def _local_nat64(value: int) -> tuple[IPv4Address, ...]:
    """Every reading of RFC 6052 that leaves its suffix zero: the prefix length is the operator's choice."""
    readings = [value & _V4_MASK]
    for prefix in (48, 56, 64):
        after_u = 32 - (64 - prefix)  # bits 64 to 71 are always zero, so the IPv4 address goes around them
        suffix = 56 - after_u
        if value & ((1 << suffix) - 1) == 0:
            high = value >> 64 & ((1 << (64 - prefix)) - 1)
            low = value >> suffix & ((1 << after_u) - 1)
            readings.append(high << after_u | low)
    return tuple(IPv4Address(reading) for reading in readings if reading != 0) or (IPv4Address(0),)
