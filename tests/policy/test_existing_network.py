"""A VPC that exists already, judged by what the operator dumped of it: clean, and with one way out each."""

import pytest
from existing_network import files, listed, told
from existing_network_changes import Change, clients_table, networking, put, routed
from existing_network_ways_out import WAYS_OUT


def test_a_clean_network_is_clean() -> None:
    """Guards against alarms about what every VPC has, what belongs to others, and what the firewall has for itself."""
    assert told(files()) == []


@pytest.mark.parametrize(
    "change",
    [
        networking("batch", "vsw-workpods-h"),
        put("snat-ngw-egress", 0, SourceVSwitchId=""),
        put("network-interfaces", 2, VSwitchId="vsw-pods-h", InstanceId="", Status="Available"),
        put("network-interfaces", 2, VSwitchId="vsw-pods-h", InstanceId=None, Status="Available"),
    ],
    ids=["another team's pods", "an SNAT entry for a range", "an unattached interface", "one of no instance"],
)
def test_no_way_out_is_clean(change: Change) -> None:
    """Guards against alarms about another team's PodNetworking, ranges in the egress table, and what sends nothing."""
    given = files()
    change(given)
    assert told(given) == []


@pytest.mark.parametrize(("change", "expected"), WAYS_OUT.values(), ids=WAYS_OUT)
def test_a_way_out_is_told(change: Change, expected: list[str]) -> None:
    """Guards against a way out that the answers show, and nobody says."""
    given = files()
    change(given)
    assert told(given) == expected


def test_what_is_of_another_network_is_left_out() -> None:
    """Guards against an EIP that passes because nobody asked for the instances of the network."""
    given = files()
    assert "i-another-network" in str(given["eips"])
    del given["instances"]
    assert [line for line in told(given) if "EGR712" in line] == [
        "EGR712 EipAssociation eip-4: 'EcsInstance': it reaches the internet by this address, past the NAT gateway"
    ]


def test_the_system_table_is_the_egress_table_where_nothing_else_is_attached() -> None:
    """Guards against a route of the egress that nobody judges because the vSwitches are in the VPC's own table."""
    given = files()
    listed(given, "route-tables")[1]["VSwitchIds"]["VSwitchId"].remove("vsw-pods-h")
    listed(given, "routes-vtb-system").pop(-2)  # that to the NAT gateway
    routed("vtb-system", "47.0.0.0/8", "Ipv4Gateway", "ipv4gw-1")(given)
    assert told(given) == [
        "EGR720 VPCRouteEntry vtb-system:47.0.0.0/8: '47.0.0.0/8' leads to a next hop of type 'Ipv4Gateway', past the "
        "NAT gateway",
        "EGR721 SnatEntry snat-h: lets out a vSwitch whose route table ce_prod does not take over",
    ]


def test_who_has_no_public_address_does_not_leave_by_an_ipv4_gateway() -> None:
    """Guards against alarms about the vSwitches of load balancers, whose table leads to the IPv4 gateway."""
    given = files()
    clients_table(given)
    routed("vtb-clients", "0.0.0.0/0", "Ipv4Gateway", "ipv4gw-1")(given)
    assert told(given) == []
