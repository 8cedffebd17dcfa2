"""The admission policies know what the pack knows: every address, name and port has the same class in both."""

import json
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts import names
from policy.facts.addresses import AddressClass, classify
from policy.facts.ports import DENIED_PORTS
from policy.facts.special_ranges import SPECIAL_RANGES, SpecialRange
from tests.plan.admission_policies import BACKENDS, DESTINATIONS, networks, planned, variables
from tests.support import cluster_ranges

_MAPPED = IPv6Network("::ffff:0:0/96")  # CEL's isIP() refuses these, so none of them is ever classified
_IN_THE_POLICY = {
    "ownAddresses": {AddressClass.LOOPBACK, AddressClass.UNSPECIFIED},
    "metadataAddresses": {AddressClass.METADATA, AddressClass.LINK_LOCAL},
    "multicastAddresses": {AddressClass.MULTICAST},
    "privateAddresses": {AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.UNIQUE_LOCAL},
}
_SPECIAL = {AddressClass.RESERVED, AddressClass.DOCUMENTATION, AddressClass.BENCHMARKING}
_ROWS = [row for row in SPECIAL_RANGES if row.network.prefixlen > 0]
_FACTS = variables(planned(cluster=cluster_ranges())[BACKENDS])
_NETWORKS = {name: networks(expression) for name, expression in _FACTS.items()}


def _is_in(address: IPv4Address | IPv6Address, variable: str) -> bool:
    return any(address in network for network in _NETWORKS[variable])


def _class_in_the_policy(address: IPv4Address | IPv6Address) -> set[AddressClass]:
    """What the policy takes an address for, in the order of its cases."""
    for variable, classes in _IN_THE_POLICY.items():
        if _is_in(address, variable):
            return classes
    if _is_in(address, "specialAddresses") or not _is_in(address, "unicastAddresses"):
        return _SPECIAL
    return {AddressClass.PUBLIC}


def _edges(version: int) -> st.SearchStrategy[int]:
    """Addresses at and around the ends of every special range."""
    rows = [row.network for row in SPECIAL_RANGES if row.network.version == version]
    ends = [int(end) for network in rows for end in (network.network_address, network.broadcast_address)]
    last = 2 ** (32 if version == 4 else 128) - 1
    return st.builds(_near, st.sampled_from(ends), st.integers(-2, 2)).filter(lambda value: 0 <= value <= last)


def _near(end: int, step: int) -> int:
    return end + step


def _embedding(prefix: str, low: int) -> int:
    return int(IPv6Address(prefix)) + low


_PREFIXES = ("2002::", "2001::", "::", "64:ff9b:1::", "::ffff:0:0:0", "2606:4700::")


@given(st.integers(0, 2**32 - 1) | _edges(4))
def test_every_ipv4_address_has_the_class_that_the_pack_gives_it(value: int) -> None:
    """The API server let an address pass that the pack refuses, or refused one that it lets pass."""
    for address in (IPv4Address(value), IPv6Address(int(IPv6Address("64:ff9b::")) + value)):
        assert classify(address) in _class_in_the_policy(address)


@given(
    st.integers(0, 2**128 - 1)
    | _edges(6)
    | st.builds(_embedding, st.sampled_from(_PREFIXES), st.integers(0, 2**80 - 1))
)
def test_every_ipv6_address_has_the_class_that_the_pack_gives_it(value: int) -> None:
    """As above, for embedded IPv4 and for space that is not allocated."""
    address = IPv6Address(value)
    found, expected = _class_in_the_policy(address), classify(address)
    if address in _MAPPED:
        return
    # 6to4, Teredo and the like are refused as reserved, whatever class the pack finds inside.
    assert expected in found or (found == _SPECIAL and expected is not AddressClass.PUBLIC)


@pytest.mark.parametrize("row", _ROWS, ids=[str(row.network) for row in _ROWS])
def test_every_special_range_of_the_facts_is_in_the_policies(row: SpecialRange) -> None:
    """A range was added to the facts, and the API server was never told."""
    for policy in (BACKENDS, DESTINATIONS):
        listed = [
            network
            for name, expression in variables(planned()[policy]).items()
            for network in networks(expression)
            if name not in ("clusterAddresses", "approvedAddresses") and network.prefixlen > 0
        ]
        assert any(each.version == row.network.version and _holds(each, row.network) for each in listed)


def _holds(outer: IPv4Network | IPv6Network, inner: IPv4Network | IPv6Network) -> bool:
    first, last = int(inner.network_address), int(inner.broadcast_address)
    return int(outer.network_address) <= first and last <= int(outer.broadcast_address)


@pytest.mark.parametrize("policy", [BACKENDS, DESTINATIONS])
def test_every_name_and_port_of_the_facts_is_in_the_policies(policy: str) -> None:
    """As above, for names and ports."""
    text = json.dumps(planned()[policy].policy.spec)
    known = names.LOCALHOST_NAMES | names.LOCALHOST_ZONES | names.METADATA_NAMES | names.SPECIAL_TLDS
    known |= names.WILDCARD_DNS_ZONES | names.CLUSTER_TLDS | {names.DEFAULT_CLUSTER_DOMAIN, names.CLUSTER_SET_DOMAIN}
    assert [name for name in known if f'\\".{name}\\"' not in text] == []
    assert [port for port in DENIED_PORTS if f"{port}: " not in text] == []
