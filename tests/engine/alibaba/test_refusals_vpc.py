"""What VPC, ECS and Container Service refuse: otherwise what runs against the stand-in proves nothing."""

import pytest

from tests.engine.alibaba.asking import ANYWHERE, CLUSTER, VPC, ZONE, Asking, Leaving


@pytest.mark.parametrize(
    ("cidr", "zone", "code"),
    [
        ("10.0.1.128/25", ZONE, "InvalidCidrBlock.Overlapped"),
        ("10.1.0.0/24", ZONE, "InvalidParameter"),
        ("10.0.3.0/30", ZONE, "InvalidCirdrBlock.MaskLength"),
        ("10.0.3.1/24", ZONE, "InvalidCidrBlock.Malformed"),
        ("10.0.3.0/24", "cn-hangzhou-z", "InvalidZoneId.NotFound"),
    ],
)
def test_vswitch_with_a_wrong_range(cidr: str, zone: str, code: str) -> None:
    """Guards against a plan whose ranges overlap, or are not of the VPC, that still comes up here."""
    asking = Asking()
    asking.vswitch("10.0.1.0/24")
    assert asking.refused("CreateVSwitch", VpcId=VPC, ZoneId=zone, CidrBlock=cidr) == code


def test_snat_entries() -> None:
    """Guards against an entry that comes before its address, or twice for a vSwitch."""
    asking = Asking()
    nodes, gateway = asking.vswitch("10.0.1.0/24"), asking.gateway()
    said = {"SnatTableId": gateway.replace("ngw-", "stb-"), "SourceVSwitchId": nodes}
    assert asking.refused("CreateSnatEntry", **said, SnatIp="203.0.113.1") == "InvalidSnatIp.NotFound"
    _, address = asking.eip_on(gateway)
    asking.snat(gateway, nodes, address)
    assert asking.refused("CreateSnatEntry", **said, SnatIp=address) == "Forbidden.SourceVSwitchId.Duplicated"


def test_what_is_in_use_stays() -> None:
    """Guards against a way out in a wrong order that works here and nowhere else."""
    asking = Leaving()
    assert asking.refused("DeleteNatGateway", NatGatewayId=asking.ngw) == "DependencyViolation.EIPS"
    assert asking.refused("ReleaseEipAddress", AllocationId=asking.eip) == "IncorrectEipStatus"
    unbind = {"AllocationId": asking.eip, "InstanceId": asking.ngw}
    assert asking.refused("UnassociateEipAddress", **unbind) == "InvalidIpStatus.HasBeenUsedBySnatTable"
    asking.do("DeleteSnatEntry", SnatEntryId=asking.entry)
    asking.do("UnassociateEipAddress", **unbind)
    assert asking.refused("DeleteNatGateway", NatGatewayId=asking.ngw) == "DependencyViolation.RouterEntry"
    assert asking.refused("DeleteRouteTable", RouteTableId=asking.egress) == "OperationDenied.VSwitchAssociated"
    asking.do("UnassociateRouteTable", RouteTableId=asking.egress, VSwitchId=asking.nodes)
    assert asking.refused("DeleteRouteTable", RouteTableId=asking.egress) == "DependencyViolation.RouteEntry"
    asking.do("DeleteRouteEntry", RouteTableId=asking.egress, DestinationCidrBlock=ANYWHERE, NextHopId=asking.ngw)
    in_use = asking.cloud.vpc.nat.gateways[asking.ngw].vswitch.id
    assert asking.refused("DeleteVSwitch", VSwitchId=in_use) == "DependencyViolation"
    asking.do("DeleteNatGateway", NatGatewayId=asking.ngw)
    asking.do("DeleteVSwitch", VSwitchId=in_use)
    asking.do("DeleteRouteTable", RouteTableId=asking.egress)
    asking.do("ReleaseEipAddress", AllocationId=asking.eip)


def test_deletion_protection() -> None:
    """Guards against protection that protects nothing."""
    asking = Leaving()
    for kind, name, action in (
        ("NATGW", asking.ngw, {"action": "DeleteNatGateway", "NatGatewayId": asking.ngw}),
        ("EIP", asking.eip, {"action": "ReleaseEipAddress", "AllocationId": asking.eip}),
    ):
        asking.do("DeletionProtection", InstanceId=name, Type=kind, ProtectionEnable="true")
        assert asking.refused(**action) == "InvalidOperation.DeletionProtection"


def test_route_tables() -> None:
    """Guards against a vSwitch with two tables, and two entries for one destination."""
    asking = Leaving()
    other = asking.table()
    twice = {"RouteTableId": other, "VSwitchId": asking.nodes}
    assert asking.refused("AssociateRouteTable", **twice) == "OperationDenied.RouteTableAssociated"
    entry = {"DestinationCidrBlock": ANYWHERE, "NextHopType": "NatGateway", "NextHopId": asking.ngw}
    again = asking.refused("CreateRouteEntry", RouteTableId=asking.egress, **entry)
    assert again == "RouterEntryConflict.Duplicated"


def test_quotas() -> None:
    """Guards against limits that are told in settings and not met by anybody: the last that fits, and one more."""
    asking = Asking()
    tables = [asking.table() for _ in range(9)]
    assert asking.refused("CreateRouteTable", VpcId=VPC) == "QuotaExceeded.RouteTable"
    assert len({*tables}) == 9
    gateway = asking.gateway()
    for _ in range(20):
        asking.eip_on(gateway)
    assert asking.refused("AllocateEipAddress", Bandwidth="5") == "QuotaExceeded.Eip"


def test_security_group_rules() -> None:
    """Guards against rules in words that the API does not have; a rule that is there already is no error to it."""
    asking = Asking()
    group = asking.do("CreateSecurityGroup", VpcId=VPC)["SecurityGroupId"]

    def rule(**other: str) -> dict[str, str]:
        said = {"IpProtocol": "tcp", "PortRange": "443/443", "DestCidrIp": ANYWHERE, "Policy": "accept"} | other
        return {"SecurityGroupId": group} | {f"Permissions.1.{name}": value for name, value in said.items()}

    for _ in range(2):
        asking.do("AuthorizeSecurityGroupEgress", **rule())
    found = asking.do("DescribeSecurityGroupAttribute", SecurityGroupId=group, Direction="egress")
    assert len(found["Permissions"]["Permission"]) == 1
    for other, code in (
        ({"IpProtocol": "sctp"}, "InvalidIpProtocol.ValueNotSupported"),
        ({"PortRange": "-1/-1"}, "InvalidIpProtocol.Malformed"),
        ({"IpProtocol": "all"}, "InvalidIpProtocol.Malformed"),
        ({"Priority": "101"}, "InvalidPriority.ValueNotSupported"),
        ({"DestCidrIp": "10.0.0.1/24"}, "InvalidDestCidrIp.Malformed"),
        ({"Policy": "allow"}, "InvalidPolicy.Malformed"),
    ):
        assert asking.refused("AuthorizeSecurityGroupEgress", **rule(**other)) == code


def test_node_pools() -> None:
    """Guards against a pool without a vSwitch; and what its nodes use can go only after it."""
    asking = Asking()
    nodes, group = asking.vswitch("10.0.1.0/24"), asking.do("CreateSecurityGroup", VpcId=VPC)["SecurityGroupId"]
    path = f"/clusters/{CLUSTER}/nodepools"
    wanted = {"vswitch_ids": [nodes], "security_group_ids": [group], "instance_types": ["ecs.g7.large"]}
    for name in wanted:
        _, answer = asking.cloud.roa("POST", path, {}, {"scaling_group": wanted | {name: []}})
        assert answer["Code"] == "InvalidParameter"
    _, made = asking.cloud.roa("POST", path, {}, {"scaling_group": wanted})
    assert asking.refused("DeleteVSwitch", VSwitchId=nodes) == "DependencyViolation"
    assert asking.refused("DeleteSecurityGroup", SecurityGroupId=group) == "DependencyViolation"
    asking.cloud.roa("DELETE", f"{path}/{made['nodepool_id']}", {}, {})
    asking.do("DeleteVSwitch", VSwitchId=nodes)
    asking.do("DeleteSecurityGroup", SecurityGroupId=group)


def test_what_is_not_known_is_refused() -> None:
    """Guards against a call that nobody thought of, and that seems to work."""
    asking = Asking()
    assert asking.refused("CreateForwardEntry") == "NotInTheStandIn"
    assert asking.refused("CreateVSwitch") == "MissingParameter"
    assert asking.cloud.roa("GET", "/clusters", {}, {})[1]["Code"] == "NotInTheStandIn"
