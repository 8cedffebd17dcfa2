"""EGR720: a route of the egress that leads to the internet by something else than the NAT gateway."""

from collections.abc import Iterator
from typing import Final

from policy.address_findings import is_in_private_range
from policy.readers.cloud.egress_network import EGRESS_KINDS, Route, egress_tables, gateway_of, routes_in
from policy.readers.cloud.kinds import (
    NAT_FIREWALL,
    NAT_GATEWAY,
    ROUTE_ENTRIES,
    ROUTE_TABLE_ATTACHMENT,
    ROUTE_TABLES,
    SWITCHES,
)
from policy.readers.cloud.links import CloudStack
from policy.reading import shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_FOR_PUBLIC_ADDRESSES: Final = frozenset({"Ipv4Gateway", "IPv6Gateway"})
"""Next hops that let out only what has a public address, which EGR711, EGR712 and EGR719 judge."""


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    tables = egress_tables(stack, context)
    ours = frozenset(stack.handle_of(gateway) for gateway in stack.each({NAT_GATEWAY})).union(
        *(gateway_of(stack, firewall).handles for firewall in stack.each({NAT_FIREWALL}))
    )
    if not ours:
        return  # no way out that another one could lead past
    for route in routes_in(stack):
        if _is_elsewhere(route, tables) or (route.network is not None and is_in_private_range(route.network)):
            continue
        if not (route.gateways.handles and route.gateways.handles <= ours):
            by = "" if route.next_hop is None else f" of type {shown(route.next_hop)}"
            message = f"{shown(route.destination.value)} leads to a next hop{by}, past the NAT gateway"
            yield Finding(path=route.destination.path, message=message).of(route.subject)


def _is_elsewhere(route: Route, tables: frozenset[str]) -> bool:
    """Whether it is in a table that is certainly none of the egress, and no way out for what else is in the VPC.

    A program knows of no others; answers show all tables, and whose pods are behind them nobody can tell.
    """
    if route.subject.registration is None and route.next_hop not in _FOR_PUBLIC_ADDRESSES:
        return False
    return route.tables.is_known and route.tables.handles != frozenset() and tables.isdisjoint(route.tables.handles)


RULE = StackRule(
    id="EGR720",
    name="route-past-firewall",
    severity=Severity.BLOCK,
    applies_to=EGRESS_KINDS
    | ROUTE_ENTRIES
    | ROUTE_TABLES
    | SWITCHES
    | {NAT_FIREWALL, NAT_GATEWAY, ROUTE_TABLE_ATTACHMENT},
    summary="In the route tables of the egress, everything that is not private leads to the NAT gateway; in a network "
    "that exists already, in every table, or to a gateway for public addresses.",
    why="The longest prefix wins: two routes for half of the internet each, or one for a single provider, take the "
    "traffic to an instance, a VPN or another gateway, and the firewall at the NAT gateway never sees it.",
    remediation="route 0.0.0.0/0 to the NAT gateway, private ranges wherever they are, and nothing else",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
---
type: alicloud:vpc/routeTable:RouteTable
urn: table
inputs: {vpcId: vpc-1, routeTableName: egress}
---
type: alicloud:vpc/vPCRouteEntry:VPCRouteEntry
urn: default-route
inputs: {destinationCidrBlock: 0.0.0.0/0, nexthopType: NatGateway}
propertyDependencies: {nexthopId: [egress], routeTableId: [table]}
""",
    url="https://www.alibabacloud.com/help/en/nat-gateway/user-guide/create-and-manage-internet-nat-gateways",
    source="VPC: route tables, longest prefix match; Cloud Firewall, API 2017-12-07: CreateSecurityProxy, "
    "NatRouteEntryList",
    check=_check,
)
