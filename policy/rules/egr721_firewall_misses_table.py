"""EGR721: a route table that leads to the NAT gateway, and that its firewall does not take over."""

from collections.abc import Iterator

from policy.facts.addresses import Network, parse_network
from policy.readers.cloud.egress_network import Route, attachments_in, gateway_of, range_of, routes_in, tables_of
from policy.readers.cloud.kinds import (
    NAT_FIREWALL,
    NAT_GATEWAY,
    NETWORK,
    ROUTE_ENTRIES,
    ROUTE_TABLE,
    ROUTE_TABLE_ATTACHMENT,
    ROUTE_TABLES,
    SNAT_ENTRY,
    SWITCHES,
)
from policy.readers.cloud.links import CloudStack, Leads
from policy.readers.cloud.snat import SnatEntry, snat_entries
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    for firewall in stack.each({NAT_FIREWALL}):
        tables, gateways = tables_of(stack, firewall), gateway_of(stack, firewall).handles
        if not tables.is_known:
            message = "leads to a route table that cannot be followed"
            yield Finding(path="natRouteEntryLists", message=message).of(firewall)
            continue
        yield from _judge_routes(stack, firewall, tables, gateways)
        yield from _judge_senders(stack, firewall, tables, gateways)


def _judge_routes(stack: CloudStack, firewall: Subject, tables: Leads, gateways: frozenset[str]) -> Iterator[Finding]:
    for route in routes_in(stack):
        if gateways.isdisjoint(route.gateways.handles):
            continue
        if _is_system_route(stack, route):
            continue
        if not (route.tables.is_known and route.tables.handles and route.tables.handles <= tables.handles):
            message = f"leads to the NAT gateway from a table that {firewall.ref.name} does not take over"
            yield Finding(path="routeTableId", message=message).of(route.subject)


def _is_system_route(stack: CloudStack, route: Route) -> bool:
    """Whether a NAT gateway put it there, into a system table that exists. SNAT entries say who leaves by it."""
    tables = [stack.find(handle) for handle in route.tables.handles]
    return route.subject.registration is None and all(each and each.group_kind == NETWORK for each in tables)


def _judge_senders(stack: CloudStack, firewall: Subject, tables: Leads, gateways: frozenset[str]) -> Iterator[Finding]:
    """What SNAT entries let out. A new vSwitch has the VPC's system table until another is attached."""
    attached = {vswitch: table.handles for table, leads in attachments_in(stack).values() for vswitch in leads.handles}
    is_custom = all(_is_custom_table(stack.find(handle)) for handle in tables.handles)
    for entry in snat_entries(stack):
        if gateways.isdisjoint(entry.gateway.handles):
            continue
        network = _range_of(entry)
        path = "sourceVswitchId" if network is None else entry.source.path
        vswitches = entry.vswitch.handles if network is None else _vswitches_in(stack, network)
        if network is not None and not vswitches:
            message = f"{network} is in no vSwitch that is shown, so nobody knows whether {firewall.ref.name} sees it"
            yield Finding(path=path, message=message).of(entry.subject)
        for vswitch in sorted(vswitches):
            own = attached.get(vswitch)
            # What a vSwitch from elsewhere is attached to, nobody sees here.
            by_system = own is None and is_custom and stack.find(vswitch) is not None
            if by_system or (own is not None and own.isdisjoint(tables.handles)):
                message = f"lets out a vSwitch whose route table {firewall.ref.name} does not take over"
                yield Finding(path=path, message=message).of(entry.subject)


def _range_of(entry: SnatEntry) -> Network | None:
    """The range of an entry that is for no vSwitch; `None` also where it cannot be read: EGR716 says so."""
    text = entry.source.value
    if entry.vswitch.handles or not entry.vswitch.is_known or not isinstance(text, str):
        return None
    try:
        return parse_network(text)
    except ValueError:
        return None


def _vswitches_in(stack: CloudStack, network: Network) -> frozenset[str]:
    """The vSwitches that have addresses of a range."""
    found = ((stack.handle_of(each), range_of(each)) for each in stack.each(SWITCHES))
    return frozenset(handle for handle, own in found if own is not None and own.overlaps(network))


def _is_custom_table(table: Subject | None) -> bool:
    return table is not None and table.group_kind == ROUTE_TABLE


RULE = StackRule(
    id="EGR721",
    name="firewall-misses-table",
    severity=Severity.BLOCK,
    applies_to=ROUTE_ENTRIES
    | ROUTE_TABLES
    | SWITCHES
    | {NAT_FIREWALL, NAT_GATEWAY, ROUTE_TABLE_ATTACHMENT, SNAT_ENTRY},
    summary="A NAT firewall takes over every route table that leads to its NAT gateway, and the vSwitches that leave "
    "by the gateway, also by a range, have such a table.",
    why="What is in another table goes straight to the NAT gateway, with the addresses that firewalls outside trust, "
    "and no policy is asked. A NAT gateway also puts a route to itself into the VPC's system table.",
    remediation="list every table with a route to the NAT gateway in natRouteEntryLists, and attach the egress "
    "vSwitches to one of them",
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
---
type: alicloud:cloudfirewall/natFirewall:NatFirewall
urn: firewall
protect: true
inputs:
  regionNo: cn-hangzhou
  vpcId: vpc-1
  proxyName: egress
  strictMode: 1
  status: normal
  natRouteEntryLists: [{destinationCidr: 0.0.0.0/0, nexthopType: NatGateway, nexthopId: ngw-1, routeTableId: vtb-1}]
propertyDependencies: {natGatewayId: [egress], natRouteEntryLists: [egress, table]}
---
type: alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy
urn: everything-else
inputs:
  aclAction: drop
  description: everything else
  direction: out
  source: 0.0.0.0/0
  sourceType: net
  destination: 0.0.0.0/0
  destinationType: net
  proto: ANY
  destPort: 0/0
  destPortType: port
  applicationNameLists: [ANY]
  newOrder: "1"
propertyDependencies: {natGatewayId: [egress]}
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/nat-firewall",
    source="Cloud Firewall, API 2017-12-07: CreateSecurityProxy, NatRouteEntryList; NAT Gateway: Create and manage an "
    "Internet NAT gateway",
    check=_check,
)
