"""What Cloud Firewall's answers show: API 2017-12-07.

The fields of cloudfw-20171207 of July 2026.
"""

from collections.abc import Iterator

from policy.readers.cloud import kinds
from policy.readers.cloud.answers.made import Item, Made, items, listed, made


def nat_firewall(item: Item) -> Iterator[Made]:
    """DescribeNatFirewallList, and what the firewall has put into the VPC for itself."""
    yield made(
        kinds.NAT_FIREWALL,
        item.get("ProxyName") or item.get("ProxyId"),
        id=item.get("ProxyId"),
        vpcId=item.get("VpcId"),
        natGatewayId=item.get("NatGatewayId"),
        strictMode=item.get("StrictMode"),
        status=item.get("ProxyStatus"),
        natRouteEntryLists=[
            {
                "destinationCidr": each.get("DestinationCidr"),
                "nexthopId": each.get("NextHopId"),
                "nexthopType": each.get("NextHopType"),
                "routeTableId": each.get("RouteTableId"),
            }
            for each in items(item, "NatRouteEntryList")
        ],
        proxyVswitchId=item.get("ProxyVSwitchId"),
        proxyRouteTableId=item.get("ProxyRouteTableId"),
        proxyNetworkInterfaceId=item.get("ProxyNetworkInterfaceId"),
    )


def nat_policy(item: Item) -> Iterator[Made]:
    """DescribeNatFirewallControlPolicy."""
    order = item.get("Order")
    yield made(
        kinds.NAT_POLICY,
        item.get("AclUuid"),
        id=item.get("AclUuid"),
        natGatewayId=item.get("NatGatewayId"),
        newOrder=f"{order}" if isinstance(order, int) else order,
        aclAction=item.get("AclAction"),
        proto=item.get("Proto"),
        source=item.get("Source"),
        sourceType=item.get("SourceType"),
        destination=item.get("Destination"),
        destinationType=item.get("DestinationType"),
        destPort=item.get("DestPort"),
        destPortType=item.get("DestPortType"),
        destPortGroup=item.get("DestPortGroup"),
        applicationNameLists=listed(item, "ApplicationNameList"),
        domainResolveType=item.get("DomainResolveType"),
        release=item.get("Release"),
        repeatType=item.get("RepeatType"),
    )


def address_book(item: Item) -> Iterator[Made]:
    """DescribeAddressBook."""
    yield made(
        kinds.ADDRESS_BOOK,
        item.get("GroupName"),
        id=item.get("GroupUuid"),
        groupName=item.get("GroupName"),
        groupType=item.get("GroupType"),
        addressLists=listed(item, "AddressList"),
    )
