"""What kind of address an address is: the table, the strict reading, the unwrapping."""

import ipaddress
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts.addresses import (
    AddressClass,
    classes_in,
    classify,
    embedded_ipv4,
    parse_address,
    parse_network,
    special_networks,
)
from policy.facts.special_ranges import SPECIAL_RANGES

V4 = st.ip_addresses(v=4).map(lambda address: IPv4Address(int(address)))
V6 = st.ip_addresses(v=6).map(lambda address: IPv6Address(int(address)))
ANY = st.one_of(V4, V6)


@st.composite
def addresses_near_the_table(draw: st.DrawFn) -> IPv4Address | IPv6Address:
    """Addresses at the edges of special ranges, where mistakes live, and their embeddings."""
    network = draw(st.sampled_from([row.network for row in SPECIAL_RANGES]))
    edge = draw(st.sampled_from([int(network.network_address), int(network.broadcast_address)]))
    value = min(max(edge + draw(st.integers(-2, 2)), 0), 2**network.max_prefixlen - 1)
    return IPv4Address(value) if network.version == 4 else IPv6Address(value)


def spellings(address: IPv4Address) -> list[str]:
    """The same IPv4 address as inet_aton, URLs, IPv6 and careless tools write it."""
    value, octets = int(address), address.packed
    a, b, c, d = octets
    tails = [f"{value >> 16:x}:{value & 0xFFFF:x}", str(address)]
    embedded = [prefix + tail for tail in tails for prefix in ("::ffff:", "::FFFF:0:", "64:ff9b::", "::")]
    return [
        str(address),
        f"{value}",
        f"0x{value:08x}",
        f"0{value:o}",
        f"{a}.{int.from_bytes(octets[1:])}",
        f"{a}.{b}.{int.from_bytes(octets[2:])}",
        f"0{a}.{b}.{c}.{d}",
        ".".join(f"{octet:03d}" for octet in octets),
        ".".join(f"0x{octet:02x}" for octet in octets),
        f" {address}",
        f"{address}.",
        f"{address}%eth0",
        f"[{address}]",
        *embedded,
        f"2002:{value >> 16:x}:{value & 0xFFFF:x}::1",
        str(IPv6Address((0x20010000 << 96) | (0x41360000 << 64) | (~value & 0xFFFF_FFFF))),
        f"64:ff9b:1::{tails[0]}",
    ]


@given(st.sampled_from([row.network for row in SPECIAL_RANGES if isinstance(row.network, IPv4Network)]), st.data())
def test_any_spelling_of_a_denied_address_is_denied_or_refused(network: IPv4Network, data: st.DataObject) -> None:
    """Guards against a detour: an address that is denied plainly but passes in some other clothing."""
    address = network[data.draw(st.integers(0, network.num_addresses - 1))]
    for text in spellings(address):
        try:
            read = parse_address(text)
        except ValueError:
            continue
        assert classify(read) is not AddressClass.PUBLIC, text


@given(st.one_of(V4, addresses_near_the_table().filter(lambda address: address.version == 4)))
def test_mapped_and_nat64_addresses_are_what_they_hold(address: IPv4Address) -> None:
    """Guards against denying a public service only because a dual-stack tool wrote it as IPv6, and the reverse."""
    for prefix in ("::ffff:", "64:ff9b::"):
        assert classify(parse_address(f"{prefix}{address}")) is classify(address)


@given(ANY)
def test_parsing_is_idempotent(address: IPv4Address | IPv6Address) -> None:
    """Guards against a second reading that differs from the first."""
    once = parse_address(str(address))
    assert once == address
    assert parse_address(str(once)) == once
    assert parse_address(address.exploded) == address


@given(st.one_of(ANY, addresses_near_the_table()))
def test_special_networks_hold_exactly_what_is_not_public(address: IPv4Address | IPv6Address) -> None:
    """Guards against a NetworkPolicy that lets out, or keeps in, other addresses than the rules speak of."""
    inside = sum(address in network for network in special_networks(address.version))
    assert inside == (0 if classify(address) is AddressClass.PUBLIC else 1)


@given(st.one_of(ANY, addresses_near_the_table()), st.integers(0, 40))
def test_a_block_touches_the_class_of_what_is_in_it(address: IPv4Address | IPv6Address, host_bits: int) -> None:
    """Guards against hiding a denied address in a block. Teredo and local NAT64 are reserved as a whole."""
    network = parse_network(f"{address}/{max(address.max_prefixlen - host_bits, 0)}")
    assert classes_in(parse_network(str(address))) == {classify(address)} - {AddressClass.PUBLIC}
    opaque = (IPv6Network("2001::/32"), IPv6Network("64:ff9b:1::/48"))
    if not any(isinstance(address, IPv6Address) and address in prefix for prefix in opaque):
        assert {classify(address)} - {AddressClass.PUBLIC} <= classes_in(network)


@given(st.text())
def test_anything_is_read_or_refused(text: str) -> None:
    """Guards against a crash on hostile text, and against reading what is no address."""
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert re.fullmatch(r"[0-9a-fA-F:.]+", text)
    assert address == ipaddress.ip_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "127.1", "0x7f000001", "2130706433", "010.0.0.1", "127.0.0.1 ", "fe80::1%1", "[::1]", "1.2.3.4:80",
     "1.2.3.4/8", "१२७.0.0.1", "1.2.3", "::ffff:127.0.0.01", "300.0.0.1", "1::2::3", "8.8.8.8\n", "8.8.8.8\x00"],
)  # fmt: skip
def test_ambiguous_and_legacy_forms_are_refused(text: str) -> None:
    """Guards against interpreting what another program interprets differently."""
    with pytest.raises(ValueError, match=r".*"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("169.254.169.254", AddressClass.METADATA),
        ("169.254.0.1", AddressClass.LINK_LOCAL),
        ("100.100.100.200", AddressClass.METADATA),
        ("100.64.0.1", AddressClass.SHARED),
        ("fd00:ec2::254", AddressClass.METADATA),
        ("fd00::1", AddressClass.UNIQUE_LOCAL),
        ("0.1.2.3", AddressClass.UNSPECIFIED),
        ("224.0.0.1", AddressClass.MULTICAST),
        ("255.255.255.255", AddressClass.RESERVED),
        ("198.18.0.1", AddressClass.BENCHMARKING),
        ("203.0.113.9", AddressClass.DOCUMENTATION),
        ("172.31.255.254", AddressClass.PRIVATE),
        ("172.32.0.1", AddressClass.PUBLIC),
        ("2001:4860:4860::8888", AddressClass.PUBLIC),
        ("2001:200::1", AddressClass.PUBLIC),
        ("2002:808:808::1", AddressClass.RESERVED),
        ("2002:7f00:1::1", AddressClass.LOOPBACK),
        ("::8.8.8.8", AddressClass.RESERVED),
        ("64:ff9b:1::808:808", AddressClass.RESERVED),
        ("64:ff9b:1:a9fe:a9:fe00::", AddressClass.METADATA),
        ("4000::1", AddressClass.RESERVED),
        ("5f00::1", AddressClass.RESERVED),
        ("ff05::1:3", AddressClass.MULTICAST),
    ],
)
def test_classes(text: str, expected: AddressClass) -> None:
    """Guards against a row of the table that a shorter or longer one shadows."""
    assert classify(parse_address(text)) is expected


def test_teredo_holds_its_server_and_its_client() -> None:
    """Guards against judging only the half of a Teredo address that is written plainly."""
    address = parse_address("2001:0:4136:e378:8000:63bf:f5ff:fffe")
    assert embedded_ipv4(address) == (IPv4Address("65.54.227.120"), IPv4Address("10.0.0.1"))


@pytest.mark.parametrize("text", ["64:ff9b:1:c000:2:2100::", "64:ff9b:1:3c0:0:221::", "64:ff9b:1:344:c0:2:2100::"])
def test_local_nat64_is_read_with_every_prefix_length(text: str) -> None:
    """Guards against an operator's choice of prefix that hides the address 192.0.2.33: RFC 6052, section 2.4."""
    assert IPv4Address("192.0.2.33") in embedded_ipv4(parse_address(text))


def test_local_nat64_looks_past_the_octet_that_should_be_zero() -> None:
    """Guards against a bit that no router looks at and that hides the address from the rules."""
    address = parse_address("64:ff9b:1:a9fe:1a9:fe00::")
    assert IPv4Address("169.254.169.254") in embedded_ipv4(address)
    assert classify(address) is AddressClass.METADATA


def test_local_nat64_of_nothing_is_the_unspecified_address() -> None:
    """Guards against an address that carries nothing at all, and so would be judged by nothing."""
    assert embedded_ipv4(parse_address("64:ff9b:1::")) == (IPv4Address(0),)


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "224.0.0.1", "8.8.8.8"])
def test_special_networks_hold_mapped_addresses_as_they_hold_plain_ones(address: str) -> None:
    """Guards against a NetworkPolicy for IPv6 that lets out what the one for IPv4 keeps in."""
    plain = any(parse_address(address) in network for network in special_networks(4))
    for prefix in ("::ffff:", "64:ff9b::"):
        assert any(parse_address(f"{prefix}{address}") in network for network in special_networks(6)) is plain


def test_local_nat64_without_a_zero_suffix_is_read_from_its_end_only() -> None:
    """Guards against readings that RFC 6052 rules out, which would refuse addresses by chance."""
    assert embedded_ipv4(parse_address("64:ff9b:1:a9fe:a9:fe01::1")) == (IPv4Address("0.0.0.1"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[::1]", "'[::1]' is not a plain IPv4 or IPv6 address"),
        ("10.0.0.0/08", "'10.0.0.0/08' does not end in a prefix"),
    ],
)
def test_a_refusal_says_why(text: str, message: str) -> None:
    """Guards against a finding that does not help."""
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_network(text)


def test_every_row_has_a_source() -> None:
    """Guards against a range that nobody can check."""
    assert all(row.what and row.source for row in SPECIAL_RANGES)
    networks = [row.network for row in SPECIAL_RANGES]
    assert len(networks) == len(set(networks))
