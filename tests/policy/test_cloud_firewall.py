"""How policies of Cloud Firewall are read: ports, sides, resolution, and their order."""

from typing import Any

import pytest

from policy.readers.cloud.firewall_policies import Resolution, policy_of
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.policy_order import internet_chain, nat_chains
from policy.readers.cloud.ports import EVERY_PORT, PortRange, are_wide, parse_ports
from policy.readers.cloud.senders import senders_of
from policy.rule import UNKNOWN, Registration, Subject
from policy.subjects import subjects_of_resource

NAT = "alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy"
INTERNET = "alicloud:cloudfirewall/controlPolicy:ControlPolicy"
ALL = {
    "aclAction": "drop",
    "direction": "out",
    "source": "0.0.0.0/0",
    "sourceType": "net",
    "destination": "0.0.0.0/0",
    "destinationType": "net",
    "proto": "ANY",
    "destPort": "0/0",
    "applicationNameLists": ["ANY"],
}


def _policy(urn: str = "p", token: str = NAT, **inputs: Any) -> Subject:
    leads_to = {"natGatewayId": inputs.pop("gateway", ()), "source": inputs.pop("from", ())}
    [subject] = subjects_of_resource(token, ALL | inputs, Registration(urn=urn, leads_to=leads_to))
    return subject


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("443", 443, 443),
        ("443/443", 443, 443),
        ("8000/8010", 8000, 8010),
        ("1/65535", 1, 65535),
        ("0/80", 0, 80),
        *((every, 0, 65535) for every in ("", "0", "0/0", "-1/-1")),
    ],
)
def test_ports(text: str, first: int, last: int) -> None:
    """Guards against a range that is read as one of its ends."""
    assert parse_ports(text) == PortRange(first=first, last=last)


@pytest.mark.parametrize(
    "text", ["https", "443-444", "443/", "/443", "9/8", "65536", "1/65536", "1/2/3", "\uff14\uff14\uff13", "-1"]
)
def test_what_is_no_port(text: str) -> None:
    """Guards against ports that the firewall reads otherwise."""
    with pytest.raises(ValueError, match="is no"):
        parse_ports(text)


def test_wide_ranges_of_ports() -> None:
    """Guards against ports of many services that pass for one's."""
    assert not PortRange(first=1000, last=2023).is_wide
    assert PortRange(first=1000, last=2024).is_wide
    ports = PortRange(first=8000, last=8010)
    assert [number for number in (7999, 8000, 8010, 8011) if ports.holds(number)] == [8000, 8010]


def test_ranges_that_are_wide_together() -> None:
    """Guards against all ports in pieces, and against pieces that are counted twice."""
    first, second = PortRange(first=1000, last=1999), PortRange(first=1500, last=2023)
    assert not are_wide([first, second])
    assert are_wide([first, second, PortRange(first=9, last=9)])
    assert not are_wide([])


SENDERS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"source": "0.0.0.0/0"}, {"source": "47.96.10.1/32"}, True),
    ({"source": "0.0.0.0/0"}, {"source": UNKNOWN}, True),
    ({"source": "47.96.10.0/31"}, {"source": "47.96.10.1/32"}, True),
    ({"source": "47.96.10.1/32"}, {"source": "47.96.10.0/31"}, False),
    ({"source": "47.96.10.1/32"}, {"source": "47.96.10.2/32"}, False),
    ({"source": "::/0"}, {"source": "47.96.10.1/32"}, False),
    ({"source": UNKNOWN}, {"source": UNKNOWN}, False),
    ({"source": UNKNOWN, "from": ("a", "b")}, {"source": UNKNOWN, "from": ("a",)}, True),
    ({"source": UNKNOWN, "from": ("a",)}, {"source": UNKNOWN, "from": ("a", "b")}, False),
    ({"source": "known", "sourceType": "group"}, {"source": "47.96.10.3/32"}, True),
    ({"source": "known", "sourceType": "group"}, {"source": "47.96.10.4/32"}, False),
    ({"source": "47.96.10.2/31"}, {"source": "known", "sourceType": "group"}, True),
    ({"source": "new", "sourceType": "group"}, {"source": UNKNOWN, "from": ("a",)}, True),
    ({"source": "new", "sourceType": "group"}, {"source": "new", "sourceType": "group"}, True),
    ({"source": "new", "sourceType": "group"}, {"source": "elsewhere", "sourceType": "group"}, False),
    ({"source": "elsewhere", "sourceType": "group"}, {"source": "elsewhere", "sourceType": "group"}, True),
    ({"source": "empty", "sourceType": "group"}, {"source": "47.96.10.1/32"}, False),
]


@pytest.mark.parametrize(("changed", "others", "included"), SENDERS)
def test_whose_traffic_is_stopped(changed: dict[str, Any], others: dict[str, Any], *, included: bool) -> None:
    """Guards against a last policy that stops what others send."""
    books = [
        _book("known", {"addressLists": ["47.96.10.2/32", "47.96.10.3/32"]}),
        _book("new", {}, leads_to={"addressLists": ("a",)}),
        _book("empty", {"addressLists": []}),
    ]
    stopped, opened = (senders_of(policy_of(_policy(**each)), books) for each in (changed, others))
    assert stopped.include(opened) is included


def _book(name: str, inputs: dict[str, Any], leads_to: dict[str, tuple[str, ...]] | None = None) -> Subject:
    address_book = "alicloud:cloudfirewall/addressBook:AddressBook"
    registration = Registration(urn=name, leads_to=leads_to or {})
    [subject] = subjects_of_resource(address_book, {"groupName": name, "groupType": "ip"} | inputs, registration)
    return subject


@pytest.mark.parametrize(
    ("changed", "everywhere", "everything"),
    [
        ({}, True, True),
        ({"applicationNameLists": []}, True, True),
        ({"destPort": None}, True, True),
        ({"destination": "::/0"}, False, False),
        ({"source": "::/0"}, True, False),
        ({"source": "10.0.0.0/8"}, True, False),
        ({"source": "everybody", "sourceType": "group"}, True, False),
        ({"destination": "0.0.0.0/1"}, False, False),
        ({"destination": "all", "destinationType": "group"}, False, False),
        ({"destination": "10.1"}, False, False),
        ({"proto": "TCP"}, False, False),
        ({"destPort": "1/65535"}, False, False),
        ({"destPort": UNKNOWN}, False, False),
        ({"destPortType": "group", "destPortGroup": "web"}, False, False),
        ({"applicationNameLists": ["HTTP"]}, False, False),
    ],
)
def test_what_is_about_everything(changed: dict[str, Any], everywhere: bool, everything: bool) -> None:
    """Guards against a last policy that leaves something over."""
    policy = policy_of(_policy(**changed))
    assert (policy.is_to_everywhere, policy.is_for_everything) == (everywhere, everything)


RESOLUTIONS: list[tuple[object, str]] = [
    *((value, "FQDN") for value in (None, 0, "FQDN", UNKNOWN, "", 3)),
    *((value, "DNS") for value in (1, "DNS")),
    *((value, "BOTH") for value in (2, "FQDN_AND_DNS")),
]


@pytest.mark.parametrize(("value", "resolution"), RESOLUTIONS)
def test_how_names_are_known(value: object, resolution: str) -> None:
    """Guards against the number of one boundary and the word of the other that mean different things here."""
    assert policy_of(_policy(domainResolveType=value)).resolution is Resolution[resolution]


def test_directions_actions_and_ports_by_group() -> None:
    """Guards against a log that counts as a drop, and a direction that hides a policy."""
    assert [policy_of(_policy(aclAction=each)).lets_pass for each in ("accept", "log", "drop", "Drop", UNKNOWN)] == [
        True,
        True,
        False,
        True,
        True,
    ]
    assert [policy_of(_policy(direction=each)).is_outbound for each in ("out", "in", UNKNOWN, None)] == [
        True,
        False,
        True,
        True,
    ]
    named = policy_of(_policy(destPortType="group", destPortGroup="web", destPort="443/443"))
    assert (named.ports, named.port_group, named.port.path) == (None, "web", "destPortGroup")
    plain = policy_of(_policy(destPort="x", applicationName="HTTP", applicationNameLists=["SSL"]))
    assert (plain.ports, plain.port_group, plain.applications) == (None, None, ("SSL", "HTTP"))
    assert policy_of(_policy(destPort=None)).ports == EVERY_PORT


def test_the_order_at_a_nat_gateway() -> None:
    """Guards against policies of two gateways in one order, and against text that is sorted as text."""
    [nat] = subjects_of_resource("alicloud:vpc/natGateway:NatGateway", {"id": "ngw-1"}, Registration(urn="nat"))
    orders = ("10", "9", None, "-1", "007", "2")
    mine = [_policy(f"p{number}", newOrder=order, gateway=("nat",)) for number, order in enumerate(orders)]
    other = _policy("other", newOrder="1", natGatewayId="ngw-2")
    lost = _policy("lost", newOrder="1", natGatewayId=UNKNOWN)
    chains = {chain.gateway: chain.policies for chain in nat_chains(CloudStack([nat, *mine, other, lost]))}
    assert set(chains) == {"nat", "ngw-2", "? lost"}
    assert [each.place for each in chains["nat"]] == [2, 9, 10, None, None, None]


def test_the_order_at_the_internet_boundary() -> None:
    """Guards against a policy whose place stands in a resource of its own."""
    first, second, incoming = (
        _policy("first", INTERNET),
        _policy("second", INTERNET),
        _policy("in", INTERNET, direction="in"),
    )
    [order] = subjects_of_resource(
        "alicloud:cloudfirewall/controlPolicyOrder:ControlPolicyOrder",
        {"order": 3},
        Registration(urn="order", leads_to={"aclUuid": ("second",)}),
    )
    chain = internet_chain(CloudStack([first, second, incoming, order]))
    assert [(each.policy.subject.ref.name, each.place) for each in chain.policies] == [("second", 3), ("first", None)]
