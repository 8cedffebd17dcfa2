"""What VPC's answers show: API 2016-04-28.

The fields of Describe...Response in alibaba-cloud-sdk-go 1.63.107, services/vpc, and in vpc-20160428 of August 2026.
"""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud import kinds
from policy.readers.cloud.answers.made import Item, Made, field, items, listed, made

_SWITCH: Final = "alicloud:vpc/Switch"
_ROUTE_ENTRY: Final = "alicloud:vpc/VPCRouteEntry"
_EIP: Final = "alicloud:ecs/EipAddress"
_SYSTEM: Final = "System"
_NAT: Final = "Nat"
_PUBLIC: Final = "Public"
_INSIDE: Final = frozenset({"local", "service"})
"""Next hops of the entries that every table has: the VPC itself, and the cloud's services."""


def nat_gateway(item: Item) -> Iterator[Made]:
    """DescribeNatGateways."""
    yield made(
        kinds.NAT_GATEWAY,
        item.get("NatGatewayId"),
        id=item.get("NatGatewayId"),
        vpcId=item.get("VpcId"),
        vswitchId=field(item, "NatGatewayPrivateInfo", "VswitchId"),
        networkType=item.get("NetworkType"),
        deletionProtection=item.get("DeletionProtection"),
        snatTableIds=",".join(map(str, listed(item, "SnatTableIds", "SnatTableId"))),
        forwardTableIds=",".join(map(str, listed(item, "ForwardTableIds", "ForwardTableId"))),
    )


def snat_entry(item: Item) -> Iterator[Made]:
    """DescribeSnatTableEntries."""
    yield made(
        kinds.SNAT_ENTRY,
        item.get("SnatEntryId"),
        id=item.get("SnatEntryId"),
        snatTableId=item.get("SnatTableId"),
        sourceVswitchId=item.get("SourceVSwitchId"),
        sourceCidr=item.get("SourceCIDR"),
    )


def forward_entry(item: Item) -> Iterator[Made]:
    """DescribeForwardTableEntries."""
    yield made(
        kinds.FORWARD_ENTRY,
        item.get("ForwardEntryId"),
        id=item.get("ForwardEntryId"),
        forwardTableId=item.get("ForwardTableId"),
        externalPort=item.get("ExternalPort"),
        internalPort=item.get("InternalPort"),
        ipProtocol=item.get("IpProtocol"),
    )


def elastic_address(item: Item) -> Iterator[Made]:
    """DescribeEipAddresses: what an EIP is on. The EIP itself only where it is one of a NAT gateway."""
    name, instance, kind = item.get("AllocationId"), item.get("InstanceId"), item.get("InstanceType")
    if instance in (None, ""):
        return
    yield made(
        kinds.EIP_ASSOCIATION,
        name,
        id=f"{name}:{instance}",
        allocationId=name,
        instanceId=instance,
        # Without one, a program may mean a NAT gateway; an answer may not.
        instanceType=kind or "unknown",
    )
    if kind == _NAT:
        yield made(_EIP, name, id=name, deletionProtection=item.get("DeletionProtection"))


def vswitch(item: Item) -> Iterator[Made]:
    """DescribeVSwitches."""
    yield made(
        _SWITCH,
        item.get("VSwitchId"),
        id=item.get("VSwitchId"),
        vpcId=item.get("VpcId"),
        cidrBlock=item.get("CidrBlock"),
        zoneId=item.get("ZoneId"),
    )


def route_table(item: Item) -> Iterator[Made]:
    """DescribeRouteTableList: a VPC's system table comes with the VPC, and is what a vSwitch has without another."""
    table, network = item.get("RouteTableId"), item.get("VpcId")
    if item.get("RouteTableType") == _SYSTEM:
        yield made(kinds.NETWORK, table, id=network, routeTableId=table)
        return
    yield made(kinds.ROUTE_TABLE, table, id=table, vpcId=network)
    for vswitch_id in listed(item, "VSwitchIds", "VSwitchId"):
        name = f"{table}:{vswitch_id}"
        yield made(kinds.ROUTE_TABLE_ATTACHMENT, name, id=name, routeTableId=table, vswitchId=vswitch_id)


def route_entry(item: Item) -> Iterator[Made]:
    """DescribeRouteEntryList, without the entries that lead nowhere outside."""
    hops = items(item, "NextHops", "NextHop")
    if hops and all(f"{hop.get('NextHopType')}".lower() in _INSIDE for hop in hops):
        return
    table, destination = item.get("RouteTableId"), item.get("DestinationCidrBlock")
    name = f"{table}:{destination}"
    told = [{"nexthopId": hop.get("NextHopId"), "nexthopType": hop.get("NextHopType")} for hop in hops]
    single = told[0] if len(told) == 1 else {}
    yield made(
        _ROUTE_ENTRY,
        name,
        id=name,
        routeTableId=table,
        destinationCidrBlock=destination,
        nextHops=told if len(told) > 1 else None,
        **single,
    )


def ipv4_gateway(item: Item) -> Iterator[Made]:
    """ListIpv4Gateways."""
    name = item.get("Ipv4GatewayId")
    yield made(kinds.IPV4_GATEWAY, name, id=name, vpcId=item.get("VpcId"), enabled=item.get("Enabled"))


def ipv6_gateway(item: Item) -> Iterator[Made]:
    """DescribeIpv6Gateways."""
    name = item.get("Ipv6GatewayId")
    yield made("alicloud:vpc/Ipv6Gateway", name, id=name, vpcId=item.get("VpcId"))


def ipv6_address(item: Item) -> Iterator[Made]:
    """DescribeIpv6Addresses: those that reach the internet."""
    name = item.get("Ipv6AddressId")
    bandwidth = field(item, "Ipv6InternetBandwidth", "Bandwidth")
    if bandwidth not in (None, 0) or item.get("NetworkType") == _PUBLIC:
        yield made("alicloud:vpc/Ipv6InternetBandwidth", name, id=name, ipv6AddressId=name, bandwidth=bandwidth)
