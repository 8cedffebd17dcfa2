"""What rules about addresses share: classes of blocks, whose an address is, and what approves it."""

import pytest

from policy.address_findings import (
    NEVER_CLASSES,
    PRIVATE_CLASSES,
    cluster_range_of,
    findings_of_classes,
    in_approved_range,
    is_approved,
)
from policy.destinations import AddressPlace
from policy.facts.addresses import AddressClass, parse_network
from policy.rule import ClusterRange, Grants, PrivateRange
from policy.subjects import subjects_of

SERVICES = Grants(cluster_ranges=(ClusterRange(network=parse_network("10.96.0.0/12"), what="Services"),))


def _place(text: str, *ports: int) -> AddressPlace:
    return AddressPlace(path="a", text=text, network=parse_network(text), ports=frozenset(ports))


def _told(block: str, classes: frozenset[AddressClass]) -> list[str]:
    whole = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "spec": {"hosts": ["a.example.com"], "addresses": [block]},
    }
    [subject] = subjects_of(whole)
    return [finding.message for finding in findings_of_classes(subject, classes, virtual=classes)]


def test_every_class_is_public_private_or_never() -> None:
    """Guards against a new class that no rule judges."""
    assert frozenset({*NEVER_CLASSES, *PRIVATE_CLASSES, AddressClass.PUBLIC}) == frozenset(AddressClass)
    assert not NEVER_CLASSES & PRIVATE_CLASSES


def test_a_block_is_told_with_every_class_that_it_touches() -> None:
    """Guards against a message that hides the second reason, and against one that takes a block for an address."""
    assert _told("192.0.0.0/22", NEVER_CLASSES) == ["192.0.0.0/22 touches documentation and metadata and reserved"]
    assert _told("::ffff:127.0.0.0/127", NEVER_CLASSES) == ["::ffff:127.0.0.0/127 touches loopback"]
    assert _told("::ffff:127.0.0.1", NEVER_CLASSES) == ["::ffff:127.0.0.1 is loopback (it holds 127.0.0.1)"]
    assert _told("47.96.0.0/24", NEVER_CLASSES) == []


@pytest.mark.parametrize(
    "text",
    ["10.96.0.1", "::ffff:10.96.0.1", "64:ff9b::a60:1", "2002:a60:1::1", "::10.96.0.1", "10.96.0.0/31", "10.0.0.0/8"],
)
def test_an_address_of_the_cluster_is_known_in_every_form(text: str) -> None:
    """Guards against an embedding of a Service's address that reaches the Service all the same."""
    known = cluster_range_of(_place(text), SERVICES)
    assert known is not None
    assert known.what == "Services"


@pytest.mark.parametrize("text", ["10.112.0.1", "::ffff:10.112.0.1", "47.96.10.20", "fd00::1", "10.112.0.0/31"])
def test_what_is_not_the_cluster_s_is_not(text: str) -> None:
    """Guards against a range that swallows its neighbours."""
    assert cluster_range_of(_place(text), SERVICES) is None


def test_an_approval_holds_its_range_on_its_ports() -> None:
    """Guards against an approval that is wider than what was granted."""
    some = Grants(
        private_ranges=(
            PrivateRange(network=parse_network("10.20.0.0/16"), ports=frozenset({443, 8443})),
            PrivateRange(network=parse_network("fd12::/48")),
        )
    )
    assert is_approved(_place("10.20.1.5", 443), some)
    assert is_approved(_place("10.20.1.0/24", 443, 8443), some)
    assert is_approved(_place("64:ff9b::a14:105", 443), some)
    assert is_approved(_place("fd12::1"), some)
    for place in (
        _place("10.20.1.5"),
        _place("10.20.1.5", 443, 80),
        _place("10.21.0.1", 443),
        _place("10.0.0.0/8", 443),
    ):
        assert not is_approved(place, some)
    assert in_approved_range(_place("10.20.1.5"), some)
    assert not in_approved_range(_place("10.0.0.0/8"), some)
    assert not in_approved_range(_place("fd13::1"), some)
