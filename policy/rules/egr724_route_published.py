"""EGR724: a route that a VPN gateway or a transit router brings into the VPC, past the NAT gateway."""

from collections.abc import Iterator
from typing import Final

from policy.address_findings import is_in_private_range
from policy.facts.addresses import parse_network
from policy.readers.cloud.egress_network import egress_tables
from policy.readers.cloud.kinds import (
    NAT_FIREWALL,
    NAT_GATEWAY,
    NODE_POOL,
    POD_NETWORKING,
    ROUTE_ENTRIES,
    ROUTE_TABLE_ATTACHMENT,
    ROUTE_TABLES,
    SWITCHES,
    TRANSIT_ROUTE,
    VPN_ROUTES,
)
from policy.readers.cloud.links import CloudStack
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_TABLE: Final = "childInstanceRouteTableId"


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    if not [*stack.each({NAT_FIREWALL, NAT_GATEWAY})]:
        return  # no way out that another one could lead past
    for subject in stack.each(VPN_ROUTES):
        whole = root(subject.whole)
        if Reader().field(whole, "publishVpc").value is not False:
            yield from _judge(subject, Reader().field(whole, "routeDest"))
    tables = egress_tables(stack, context)
    for subject in stack.each({TRANSIT_ROUTE}):
        found = stack.follow(subject, _TABLE, ROUTE_TABLES)
        is_elsewhere = found.is_known and found.handles != frozenset() and tables.isdisjoint(found.handles)
        if not is_elsewhere:
            yield from _judge(subject, Reader().field(root(subject.whole), "destinationCidrBlock"))


def _judge(subject: Subject, destination: Node) -> Iterator[Finding]:
    try:
        if is_in_private_range(parse_network(destination.value if isinstance(destination.value, str) else "")):
            return
    except ValueError:
        pass  # which may be anything
    said = "a destination that nobody says" if destination.value is None else shown(destination.value)
    message = f"{said} comes into the VPC as a route past the NAT gateway"
    yield Finding(path=destination.path, message=message).of(subject)


RULE = StackRule(
    id="EGR724",
    name="route-published",
    severity=Severity.BLOCK,
    applies_to=ROUTE_ENTRIES
    | ROUTE_TABLES
    | SWITCHES
    | VPN_ROUTES
    | {NAT_FIREWALL, NAT_GATEWAY, NODE_POOL, POD_NETWORKING, ROUTE_TABLE_ATTACHMENT, TRANSIT_ROUTE},
    summary="VPN gateways and transit routers bring routes to private ranges into the VPC, and no others.",
    why="Route tables learn what is published into their VPC, and the longest prefix wins: traffic to such a "
    "destination leaves through the tunnel, and the firewall at the NAT gateway never sees it.",
    remediation="publish private ranges only, or write publishVpc: false",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
---
type: alicloud:vpn/routeEntry:RouteEntry
urn: office
inputs: {vpnGatewayId: vpn-1, nextHop: vco-1, routeDest: 192.168.0.0/16, weight: 0, publishVpc: true}
""",
    url="https://www.alibabacloud.com/help/en/nat-gateway/user-guide/create-and-manage-internet-nat-gateways",
    source="VPC: route tables, longest prefix match; VPN Gateway, API 2016-04-28: CreateVpnRouteEntry, PublishVpc; "
    "Cloud Enterprise Network, API 2017-09-12: CreateCenChildInstanceRouteEntryToAttachment",
    check=_check,
)
