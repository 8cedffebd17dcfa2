"""The ranges of vSwitches that are created: private, of a fitting size, and none within another."""

import ipaddress
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from components.settings.cloud.reading import ADDRESSES, FIREWALL, NODES, CloudParts
from components.settings.parts import Parts
from components.settings.plain import at, is_map
from components.settings.problems import Found, Path, dotted
from components.settings.types import Cidr
from policy.facts.addresses import AddressClass, classes_in

WIDEST: Final = 16
NARROWEST: Final = 29
"""Prefix lengths of a vSwitch (VPC, "VPCs and vSwitches")."""
NARROWEST_OF_NAT: Final = 28
"""Of those of a NAT gateway and of its firewall (Cloud Firewall, "NAT firewalls")."""
TAKEN: Final = 4
"""Addresses of each vSwitch that the cloud keeps: the first, and the last three (VPC, "VPCs and vSwitches")."""


@dataclass(frozen=True, kw_only=True)
class _Range:
    path: Path
    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    narrowest: int

    @property
    def free(self) -> int:
        return self.network.num_addresses - TAKEN


def check(parts: Parts, own: CloudParts) -> Found:
    """Every range that no vSwitch can have, or not beside the others."""
    found = list(_ranges(parts, own))
    for each in found:
        yield from _fits(each)
    for one, other in itertools.combinations(found, 2):
        if one.network.overlaps(other.network):
            yield (
                other.path,
                f"{other.network} shares addresses with {dotted(one.path)}, {one.network}",
                "a range of its own",
            )
    yield from _room(own, {each.path: each for each in found})


def _ranges(parts: Parts, own: CloudParts) -> Iterator[_Range]:
    zones = at(parts.plain, *NODES, "zones") if NODES in own.created else None
    for zone, ranges in zones.items() if is_map(zones) else ():
        for key in ("nodes", "pods"):
            yield from _range((*NODES, "zones", zone, key), at(ranges, key), NARROWEST)
    if own.addresses == "nat":
        path = (*ADDRESSES, "network")
        yield from _range(path, at(parts.plain, *path), NARROWEST_OF_NAT)
    if FIREWALL in own.created:
        path = (*FIREWALL, "network")
        yield from _range(path, at(parts.plain, *path), NARROWEST_OF_NAT)


def _range(path: Path, value: Any, narrowest: int) -> Iterator[_Range]:
    """One that is no range at all is told elsewhere."""
    try:
        text = TypeAdapter[str](Cidr).validate_python(value)
    except ValidationError:
        return
    yield _Range(path=path, network=ipaddress.ip_network(text), narrowest=narrowest)


def _fits(each: _Range) -> Found:
    length = each.network.prefixlen
    if classes_in(each.network) != frozenset({AddressClass.PRIVATE}):
        yield each.path, f"{each.network} is not in private IPv4 address space", "a range of the VPC, as `10.20.1.0/24`"
    elif not WIDEST <= length <= each.narrowest:
        size = "large" if length < WIDEST else "small"
        yield (
            each.path,
            f"{each.network} is too {size} for this vSwitch",
            f"a prefix length from /{WIDEST} to /{each.narrowest}",
        )


def _room(own: CloudParts, found: dict[Path, _Range]) -> Found:
    """A zone's share of the nodes, and the firewall's copies of the elastic IP addresses, must find addresses."""
    firewall = found.get((*FIREWALL, "network"))
    if firewall is not None and own.nat is not None and 0 < firewall.free <= own.nat.count:
        yield (
            firewall.path,
            f"{firewall.network} has {firewall.free} addresses for the firewall, which needs more than the "
            f"{own.nat.count} elastic ones",
            "a larger range",
        )
    if own.nodes is None:
        return
    scaled = own.nodes.autoscaling
    most = own.nodes.count if scaled is None else scaled.max
    share = math.ceil((most or 0) / len(own.nodes.zones))
    for zone in own.nodes.zones:
        each = found[(*NODES, "zones", zone, "nodes")]
        if 0 < each.free < share:
            yield each.path, f"{each.network} has {each.free} addresses for {share} nodes", "a larger range"
