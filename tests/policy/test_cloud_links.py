"""Which resource a property leads to: through the program, by ids, and where nobody can say."""

from collections.abc import Mapping, Sequence

import pytest

from policy.readers.cloud.kinds import INTERNET_POLICY, NAT_GATEWAY, ROUTE_TABLES, SWITCHES
from policy.readers.cloud.links import CloudStack, Leads
from policy.rule import UNKNOWN, Registration, Subject
from policy.subjects import subjects_of_resource

SWITCH, POOL = "alicloud:vpc/switch:Switch", "alicloud:cs/nodePool:NodePool"
NAT, SNAT, NETWORK = (
    "alicloud:vpc/natGateway:NatGateway",
    "alicloud:vpc/snatEntry:SnatEntry",
    "alicloud:vpc/network:Network",
)


def _resource(
    token: str, urn: str, inputs: object = None, leads_to: Mapping[str, tuple[str, ...]] | None = None
) -> Subject:
    [subject] = subjects_of_resource(token, inputs or {}, Registration(urn=urn, leads_to=leads_to or {}))
    return subject


def _leads(
    inputs: Mapping[str, object], leads_to: Mapping[str, tuple[str, ...]], *others: Subject
) -> tuple[Sequence[str], bool]:
    pool = _resource(POOL, "pool", inputs, leads_to)
    leads = CloudStack([pool, *others]).follow(pool, "vswitchIds", SWITCHES)
    return sorted(leads.handles), leads.is_known


NEW = _resource(SWITCH, "new")
"""Whose id nobody knows yet."""
KNOWN = _resource(SWITCH, "known", {"id": "vsw-1"})
VPC = _resource(NETWORK, "vpc", {"id": "vpc-1", "routeTableId": "vtb-1"})


CASES: list[tuple[Mapping[str, object], tuple[str, ...], tuple[Sequence[str], bool]]] = [
    # A preview of new resources: the engine leaves the list out.
    ({}, ("new",), (["new"], True)),
    ({"vswitchIds": [UNKNOWN]}, ("new",), (["new"], True)),
    ({"vswitchIds": [UNKNOWN, "vsw-1"]}, ("new", "known"), (["known", "new"], True)),
    ({"vswitchIds": [UNKNOWN, "vsw-9"]}, ("new",), (["new", "vsw-9"], True)),
    # After an update: the id may be that of a resource whose own id is not shown.
    ({"vswitchIds": ["vsw-1"]}, ("known",), (["known"], True)),
    ({"vswitchIds": ["vsw-9"]}, ("new",), (["new"], True)),
    ({"vswitchIds": ["vsw-9", "vsw-8"]}, ("new",), (["new", "vsw-8", "vsw-9"], True)),
    # Ids that the program writes down.
    ({"vswitchIds": ["vsw-1", "vsw-9"]}, (), (["known", "vsw-9"], True)),
    ({"vswitchIds": "vsw-9"}, (), (["vsw-9"], True)),
    ({"vswitchIds": ["", None]}, (), ([], True)),
    ({}, (), ([], True)),
    # What comes from something else, or from nowhere.
    ({}, ("vpc",), ([], False)),
    ({}, ("new", "vpc"), (["new"], False)),
    ({"vswitchIds": [UNKNOWN]}, ("vpc",), ([], False)),
    ({"vswitchIds": [UNKNOWN, UNKNOWN]}, ("new",), (["new"], False)),
    ({"vswitchIds": UNKNOWN}, (), ([], False)),
    ({"vswitchIds": [7]}, (), ([], False)),
    ({}, ("gone",), ([], False)),
]


@pytest.mark.parametrize(("inputs", "leads_to", "expected"), CASES)
def test_where_a_property_leads(
    inputs: Mapping[str, object], leads_to: tuple[str, ...], expected: tuple[Sequence[str], bool]
) -> None:
    """Guards against a vSwitch that is lost on the way, and against one that nobody knows and that counts as none."""
    assert _leads(inputs, {"vswitchIds": leads_to}, NEW, KNOWN, VPC) == expected


def test_ids_of_what_comes_with_a_resource() -> None:
    """Guards against the table of a NAT gateway, or of a VPC, that leads nowhere once it is known."""
    nat = _resource(NAT, "nat", {"id": "ngw-1", "snatTableIds": "stb-1,stb-2", "forwardTableIds": "ftb-1"})
    policy = _resource("alicloud:cloudfirewall/controlPolicy:ControlPolicy", "policy", {"aclUuid": "u"})
    for table in ("ngw-1", "stb-1", "stb-2", "ftb-1"):
        entry = _resource(SNAT, "snat", {"snatTableId": table})
        assert CloudStack([nat, entry]).follow(entry, "snatTableId", {NAT_GATEWAY}).handles == {"nat"}
    order = _resource(SNAT, "order", {"aclUuid": "u", "routeTableId": "vtb-1"})
    stack = CloudStack([order, policy, VPC])
    assert stack.follow(order, "aclUuid", {INTERNET_POLICY}) == Leads(handles=frozenset({"policy"}))
    assert stack.follow(order, "routeTableId", ROUTE_TABLES) == Leads(handles=frozenset({"vpc"}))


def test_what_no_program_registers_is_known_by_its_id() -> None:
    """Guards against an inventory of what exists already, in which nothing leads anywhere."""
    switch = Subject(group="alicloud:vpc", version="", ref=KNOWN.ref, whole={"id": "vsw-1"})
    pool = Subject(group="alicloud:cs", version="", ref=KNOWN.ref, whole={"id": "np-1", "vswitchIds": ["vsw-1"]})
    stack = CloudStack([switch, pool])
    assert stack.follow(pool, "vswitchIds", SWITCHES).handles == {"vsw-1"}
    assert stack.find("vsw-1") is switch
    nameless = Subject(group="alicloud:vpc", version="", ref=KNOWN.ref, whole={})
    assert stack.handle_of(nameless) == "Switch known"
    assert [*stack.each(SWITCHES)] == [switch]
