"""Splitting, chunks and lanes: which hosts share objects."""

import itertools
import random
import re
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan.groups import CHUNK_HOSTS, ENTRY_HOSTS, client_groups, split
from components.plan.names import hash_bits
from components.settings.reserved import LANES, MOST_TLS_PORTS
from tests.declarations import declarations, large
from tests.support import Values, changed, dev_values, of_kind, plan_of, settings_of

_KEYS = st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=60, unique=True)


def _split(keys: Sequence[str], most: int) -> dict[str, list[str]]:
    return split(keys, key=str, fits=lambda members: len(members) <= most)


@given(keys=_KEYS, most=st.integers(1, 20))
def test_split_puts_every_item_into_one_leaf_that_fits(keys: list[str], most: int) -> None:
    """A host was lost between two leaves, stood in both, or overfilled one."""
    leaves = _split(keys, most)
    assert Counter(itertools.chain(*leaves.values())) == Counter(keys)
    assert all(0 < len(members) <= most for members in leaves.values())


@given(keys=_KEYS, most=st.integers(1, 20), data=st.data())
def test_split_depends_on_the_set_alone(keys: list[str], most: int, data: st.DataObject) -> None:
    """Leaves depended on the order in which hosts were declared."""
    again = _split(data.draw(st.permutations(keys)), most)
    assert {name: set(members) for name, members in again.items()} == {
        name: set(members) for name, members in _split(keys, most).items()
    }


@given(keys=_KEYS)
def test_items_with_the_same_key_stay_together(keys: list[str]) -> None:
    """Two ports of one host came into two chunks, so a VirtualService host was there twice."""
    pairs = [(key, number) for key in keys for number in range(3)]
    leaves = split(pairs, key=lambda pair: pair[0], fits=lambda members: len(members) <= 4)
    homes = {(key, name) for name, members in leaves.items() for key, _ in members}
    assert len(homes) == len(keys)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), size=st.integers(25, 400), most=st.integers(24, 64))
def test_a_new_item_changes_its_own_leaf_and_adds_at_most_one(seed: int, size: int, most: int) -> None:
    """One host more moved hosts of other leaves, or took away a leaf's name, so live objects were replaced.

    A leaf keeps its name because half of it has the next bit 0. That all of more than 24 hosts have 1 there happens
    once in 2^24; such a leaf would be renamed.
    """
    draw = random.Random(seed)  # noqa: S311 nothing secret about test data
    keys = [f"host-{number}" for number in draw.sample(range(10**6), size + 1)]
    before, after = _split(keys[:-1], most), _split(keys, most)
    changed_leaves = [name for name in before if after.get(name) != before[name]]
    assert set(before) <= set(after)
    assert len(changed_leaves) <= 1
    assert len(set(after) - set(before)) <= 1


def test_an_item_that_fits_nowhere_has_a_leaf_of_its_own() -> None:
    """Splitting what cannot be split went on for ever."""
    leaves = split([("a", 1), ("a", 2), ("b", 1)], key=lambda pair: pair[0], fits=lambda _: False)
    assert sorted(map(sorted, leaves.values())) == [[("a", 1), ("a", 2)], [("b", 1)]]


def test_hash_bits_are_the_same_for_ever() -> None:
    """A change of hash function would rename every chunk of every cluster at the next `up`."""
    bits = hash_bits("edition.cnn.com")
    assert len(bits) == 256
    assert f"{int(bits[:32], 2):08x}" == "3198e25a"


@settings(max_examples=60, deadline=None)
@given(values=declarations())
def test_tls_flows_of_a_chunk_have_lanes_of_their_own(values: Values) -> None:
    """Two TLS hosts of a chunk shared a gateway port, and Envoy sent both to the first."""
    for group in client_groups(settings_of(values).destinations):
        for chunk in group.chunks:
            tls = {flow for flow in chunk.flows if flow.is_tls}
            assert set(chunk.lanes) == tls
            assert len(set(chunk.lanes.values())) == len(tls)
            assert set(chunk.lanes.values()) <= set(LANES)


def test_the_lane_of_the_dev_stack_is_pinned() -> None:
    """A change in how lanes are found would move every TLS host of every cluster at the next `up`."""
    ((chunk,),) = (group.chunks for group in client_groups(settings_of(dev_values()).destinations))
    assert {f"{flow.host}:{flow.port}": lane for flow, lane in chunk.lanes.items()} == {"edition.cnn.com:443": 20017}


def test_hosts_share_a_chunk_only_if_all_have_requests_on_the_same_side() -> None:
    """Hosts with TLS only got a virtual host on port 80 from istiod, and all hosts one on the port of origination."""
    values = large(60, 1)
    http = values["destinations"]["group-0-http"]
    originated = {"https": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}}}
    values["destinations"]["originated"] = {**http, "hosts": ["api.example.org"], "ports": originated}
    (group,) = client_groups(settings_of(values).destinations)
    kinds = {
        (
            chunk.name.removeprefix(f"{group.name}-").rpartition("-")[0],
            all(any(flow in chunk.http for flow in chunk.flows if flow.host == host) for host in chunk.hosts),
            any(flow.spec.tls is not None for flow in chunk.flows),
        )
        for chunk in group.chunks
    }
    assert kinds == {("", True, False), ("tls", False, False), ("origin", True, True)}


@pytest.mark.parametrize("kind", ["http", "tls", "both"])
def test_chunks_and_entries_stay_within_their_limits(kind: str) -> None:
    """A chunk outgrew the lanes, or a ServiceEntry the 256 hosts of its CRD."""
    values = large(1000, 1, kinds=(kind,))
    (group,) = client_groups(settings_of(values).destinations)
    for chunk in group.chunks:
        assert len(chunk.hosts) <= CHUNK_HOSTS
        assert sum(flow.is_tls for flow in chunk.flows) <= MOST_TLS_PORTS
    entries = of_kind(plan_of(values), "ServiceEntry")
    assert all(len(entry.spec["hosts"]) <= ENTRY_HOSTS <= 256 for entry in entries)


def test_as_many_tls_ports_of_one_host_as_settings_allow_find_lanes() -> None:
    """The most TLS ports of a host that settings accept, spread over destinations, ended in a traceback."""
    dev = dev_values()["destinations"]["edition-cnn"]
    halves = {
        name: {**dev, "ports": {f"p{port}": {"port": port, "protocol": "TLS"} for port in range(first, first + 12)}}
        for name, first in (("one", 1000), ("two", 2000))
    }
    values = changed(lambda all_values: all_values.update(destinations=halves))
    (chunk,) = client_groups(settings_of(values).destinations)[0].chunks
    assert len(set(chunk.lanes.values())) == MOST_TLS_PORTS


def _authorities() -> dict[str, str]:
    (service,) = of_kind(plan_of(dev_values()), "VirtualService")
    return {
        route["route"][0]["destination"]["host"]: match["authority"]["regex"]
        for route in service.spec["http"]
        for match in route["match"]
        if "authority" in match
    }


@pytest.mark.parametrize(
    ("authority", "is_ours"),
    [
        ("edition.cnn.com", True),
        ("edition.cnn.com:80", True),
        ("Edition.CNN.com", True),
        ("edition.cnn.com.uk", False),
        ("editionxcnn.com", False),
        ("www.edition.cnn.com", False),
        ("edition.cnn.com:80@evil.example", False),
        ("edition.cnn.com:", False),
    ],
)
def test_routes_take_the_host_header_of_their_host_only(authority: str, is_ours: bool) -> None:
    """`a.com` took the requests of `a.com.uk`, or refused `a.com:80`, which is the same host."""
    (regex,) = _authorities().values()
    assert (re.fullmatch(regex, authority) is not None) is is_ours
