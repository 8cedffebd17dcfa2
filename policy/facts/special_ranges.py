"""The one table of address ranges that are not ordinary public unicast, each with its source."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network


class AddressClass(StrEnum):
    """What an address is good for, worst first. Every address has exactly one class."""

    LOOPBACK = "loopback"
    UNSPECIFIED = "unspecified"
    METADATA = "metadata"
    LINK_LOCAL = "link-local"
    MULTICAST = "multicast"
    RESERVED = "reserved"
    DOCUMENTATION = "documentation"
    BENCHMARKING = "benchmarking"
    PRIVATE = "private"
    SHARED = "shared"
    UNIQUE_LOCAL = "unique-local"
    PUBLIC = "public"


@dataclass(frozen=True, kw_only=True)
class SpecialRange:
    """One range and the class of the addresses in it; a longer prefix wins over a shorter one."""

    network: IPv4Network | IPv6Network
    address_class: AddressClass
    what: str
    source: str


IANA_V4 = "IANA IPv4 Special-Purpose Address Registry"
IANA_V6 = "IANA IPv6 Special-Purpose Address Registry"
IANA_V6_SPACE = "IANA Internet Protocol Version 6 Address Space"

_ROWS: tuple[tuple[str, AddressClass, str, str], ...] = (
    ("0.0.0.0/8", AddressClass.UNSPECIFIED, "this host on this network", f"{IANA_V4}, RFC 791"),
    ("10.0.0.0/8", AddressClass.PRIVATE, "private use", f"{IANA_V4}, RFC 1918"),
    ("100.64.0.0/10", AddressClass.SHARED, "carrier-grade NAT and cloud services", f"{IANA_V4}, RFC 6598"),
    (
        "100.100.100.200/32",
        AddressClass.METADATA,
        "Alibaba Cloud",
        "Alibaba Cloud ECS: view instance metadata",
    ),
    ("127.0.0.0/8", AddressClass.LOOPBACK, "this host", f"{IANA_V4}, RFC 1122"),
    ("168.63.129.16/32", AddressClass.METADATA, "Azure WireServer", "Azure: what is 168.63.129.16"),
    ("169.254.0.0/16", AddressClass.LINK_LOCAL, "link-local", f"{IANA_V4}, RFC 3927"),
    (
        "169.254.169.254/32",
        AddressClass.METADATA,
        "most clouds",
        "AWS, Azure, Google Cloud, OpenStack: metadata",
    ),
    ("169.254.170.2/32", AddressClass.METADATA, "AWS ECS tasks", "Amazon ECS: task IAM role credentials"),
    ("169.254.170.23/32", AddressClass.METADATA, "AWS EKS pods", "Amazon EKS: Pod Identity agent"),
    ("172.16.0.0/12", AddressClass.PRIVATE, "private use", f"{IANA_V4}, RFC 1918"),
    ("192.0.0.0/24", AddressClass.RESERVED, "IETF protocol assignments", f"{IANA_V4}, RFC 6890"),
    (
        "192.0.0.192/32",
        AddressClass.METADATA,
        "Oracle Cloud Classic",
        "Oracle Cloud Classic: instance metadata",
    ),
    ("192.0.2.0/24", AddressClass.DOCUMENTATION, "TEST-NET-1", f"{IANA_V4}, RFC 5737"),
    ("192.88.99.0/24", AddressClass.RESERVED, "deprecated 6to4 relays", f"{IANA_V4}, RFC 7526"),
    ("192.168.0.0/16", AddressClass.PRIVATE, "private use", f"{IANA_V4}, RFC 1918"),
    ("198.18.0.0/15", AddressClass.BENCHMARKING, "benchmarking", f"{IANA_V4}, RFC 2544"),
    ("198.51.100.0/24", AddressClass.DOCUMENTATION, "TEST-NET-2", f"{IANA_V4}, RFC 5737"),
    ("203.0.113.0/24", AddressClass.DOCUMENTATION, "TEST-NET-3", f"{IANA_V4}, RFC 5737"),
    ("224.0.0.0/4", AddressClass.MULTICAST, "multicast", "IANA IPv4 Multicast Address Space, RFC 5771"),
    ("240.0.0.0/4", AddressClass.RESERVED, "reserved, and the limited broadcast", f"{IANA_V4}, RFC 1112"),
    # IPv6: only 2000::/3 is allocated for global unicast; the rest is reserved unless a longer row says more.
    ("::/0", AddressClass.RESERVED, "not allocated for global unicast", IANA_V6_SPACE),
    ("2000::/3", AddressClass.PUBLIC, "global unicast", f"{IANA_V6_SPACE}, RFC 4291"),
    ("::/128", AddressClass.UNSPECIFIED, "unspecified", f"{IANA_V6}, RFC 4291"),
    ("::1/128", AddressClass.LOOPBACK, "this host", f"{IANA_V6}, RFC 4291"),
    ("2001::/23", AddressClass.RESERVED, "IETF protocol assignments, with Teredo", f"{IANA_V6}, RFC 2928"),
    ("2001:2::/48", AddressClass.BENCHMARKING, "benchmarking", f"{IANA_V6}, RFC 5180"),
    ("2001:db8::/32", AddressClass.DOCUMENTATION, "documentation", f"{IANA_V6}, RFC 3849"),
    ("2002::/16", AddressClass.RESERVED, "6to4", f"{IANA_V6}, RFC 3056"),
    ("3fff::/20", AddressClass.DOCUMENTATION, "documentation", f"{IANA_V6}, RFC 9637"),
    ("fc00::/7", AddressClass.UNIQUE_LOCAL, "unique local", f"{IANA_V6}, RFC 4193"),
    ("fd00:42::42/128", AddressClass.METADATA, "Scaleway", "Scaleway: instance metadata over IPv6"),
    ("fd00:a9fe:a9fe::1/128", AddressClass.METADATA, "Akamai", "Akamai Cloud: Linode Metadata Service"),
    (
        "fd00:c1::a9fe:a9fe/128",
        AddressClass.METADATA,
        "Oracle Cloud",
        "Oracle Cloud: instance metadata, IPv6",
    ),
    ("fd00:ec2::23/128", AddressClass.METADATA, "AWS EKS pods", "Amazon EKS: Pod Identity agent"),
    ("fd00:ec2::254/128", AddressClass.METADATA, "AWS", "Amazon EC2: instance metadata over IPv6"),
    (
        "fd20:ce::254/128",
        AddressClass.METADATA,
        "Google Cloud",
        "Google Cloud: metadata server, IPv6-only VMs",
    ),
    ("fe80::/10", AddressClass.LINK_LOCAL, "link-local", f"{IANA_V6}, RFC 4291"),
    ("ff00::/8", AddressClass.MULTICAST, "multicast", "IANA IPv6 Multicast Address Space, RFC 4291"),
)

SPECIAL_RANGES: tuple[SpecialRange, ...] = tuple(
    SpecialRange(network=ip_network(network), address_class=address_class, what=what, source=source)
    for network, address_class, what, source in _ROWS
)
"""Every range, in the order of the table above."""
