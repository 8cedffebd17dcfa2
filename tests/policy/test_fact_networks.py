"""Blocks of addresses: how they are read, what they touch, and how wide a set of them is."""

from ipaddress import IPv4Network, IPv6Network

import pytest

from policy.facts.addresses import (
    AddressClass,
    canonical_network,
    classes_in,
    covers_everything,
    holds,
    is_wide,
    parse_network,
)


@pytest.mark.parametrize("text", ["10.0.0.0/08", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0.0/", "10.0.0.0/+8", "/8"])
def test_odd_prefixes_are_refused(text: str) -> None:
    """Guards against a prefix that enforcers read differently, or as everything."""
    with pytest.raises(ValueError, match=r".*"):
        parse_network(text)


def test_networks_drop_host_bits_and_bare_addresses_are_networks_of_one() -> None:
    """Guards against 11.22.33.44/0, which enforcers read as everything."""
    assert parse_network("11.22.33.44/0") == IPv4Network("0.0.0.0/0")
    assert parse_network("10.40.0.1") == IPv4Network("10.40.0.1/32")
    assert parse_network("::1") == IPv6Network("::1/128")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("8.0.0.0/8", set[AddressClass]()),
        ("10.0.0.0/7", {AddressClass.PRIVATE}),
        ("100.0.0.0/8", {AddressClass.SHARED, AddressClass.METADATA}),
        ("169.254.0.0/16", {AddressClass.LINK_LOCAL, AddressClass.METADATA}),
        ("2600::/16", set[AddressClass]()),
        ("2001:db8::/31", {AddressClass.DOCUMENTATION}),
        ("4000::/3", {AddressClass.RESERVED}),
        ("::ffff:10.0.0.0/104", {AddressClass.PRIVATE}),
        ("::ffff:8.0.0.0/104", set[AddressClass]()),
        ("64:ff9b::7f00:0/112", {AddressClass.LOOPBACK}),
        ("2002:a00::/24", {AddressClass.RESERVED, AddressClass.PRIVATE}),
    ],
)
def test_a_block_touches_nothing_else(block: str, expected: set[AddressClass]) -> None:
    """Guards against refusing a block for ranges that it does not hold."""
    assert classes_in(parse_network(block)) == expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("2600::/16", "2600::/16"),
        ("::ffff:10.20.0.0/112", "10.20.0.0/16"),
        ("64:ff9b::10.20.30.40/128", "10.20.30.40/32"),
        ("::ffff:128.0.0.0/97", "128.0.0.0/1"),
        ("64:ff9b::/96", "0.0.0.0/0"),
        ("64:ff9b::/95", "64:ff9b::/95"),
    ],
)
def test_a_block_of_mapped_addresses_is_the_block_that_it_maps(block: str, expected: str) -> None:
    """Guards against comparing what is the same place in two spellings. A larger block is left as it is."""
    assert canonical_network(parse_network(block)) == parse_network(expected)


def test_cidrs_are_sets() -> None:
    """Guards against comparing CIDRs as text: two halves of everything are everything."""
    halves = [parse_network("128.0.0.0/1"), parse_network("0.0.0.0/1")]
    assert covers_everything(halves)
    assert covers_everything([parse_network("::/0"), parse_network("10.0.0.0/8")])
    assert not covers_everything([halves[0], parse_network("0.0.0.0/2")])
    assert not covers_everything([])


def test_width_is_that_of_the_set() -> None:
    """Guards against opening the Internet in many narrow slices, and against refusing a provider's block."""
    assert not is_wide([parse_network("10.20.0.0/16"), parse_network("2400:3200::/32")])
    assert is_wide([parse_network("10.20.0.0/16"), parse_network("10.21.0.0/16")])
    assert is_wide([parse_network(f"{first}.{second}.0.0/16") for first in range(1, 200) for second in range(0, 6, 2)])
    assert not is_wide([parse_network(f"11.{second}.0.0/16") for second in range(0, 256, 2)])


@pytest.mark.parametrize(
    ("limit", "one_more"),
    [
        ([f"{first}.{second}.0.0/16" for first in (11, 13) for second in range(0, 256, 2)], "15.0.0.1"),
        ([f"2400:{second:x}::/32" for second in range(0, 512, 2)], "2600::1"),
    ],
)
def test_width_has_a_limit(limit: list[str], one_more: str) -> None:
    """Guards against a limit that is one too low or too high: 256 blocks are in it, one address more is not."""
    assert not is_wide([parse_network(text) for text in limit])
    assert is_wide([parse_network(text) for text in (*limit, one_more)])


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", True),
        ("10.0.0.0/8", "10.0.0.0/8", True),
        ("10.1.0.0/16", "10.0.0.0/8", False),
        ("10.0.0.0/8", "11.0.0.0/16", False),
        ("::/0", "10.0.0.0/8", False),
        ("0.0.0.0/0", "2001:db8::/64", False),
        ("2001:db8::/32", "2001:db8::1", True),
    ],
)
def test_a_network_holds_what_is_wholly_in_it(outer: str, inner: str, *, expected: bool) -> None:
    """Guards against an approval for some of a block that counts for all of it, or for the other IP version."""
    assert holds(parse_network(outer), parse_network(inner)) is expected
