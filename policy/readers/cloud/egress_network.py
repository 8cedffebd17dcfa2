"""The network of the egress nodes: their pools, the vSwitches that they and the gateways' pods have, and its routes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy.facts.addresses import Network, parse_network
from policy.readers.cloud.kinds import (
    INSTANCE,
    NAT_FIREWALL,
    NAT_GATEWAY,
    NETWORK,
    NODE,
    NODE_POOL,
    POD_NETWORKING,
    ROUTE_ENTRIES,
    ROUTE_TABLE_ATTACHMENT,
    ROUTE_TABLES,
    SWITCHES,
)
from policy.readers.cloud.links import CloudStack, Leads
from policy.readers.cloud.pod_networking import may_select_gateways
from policy.readers.nodes import instance_of, is_egress_node
from policy.reading import Node, Reader, as_mapping, root
from policy.rule import UNKNOWN, Context, Subject

_ZONES: Final = ("zoneId", "availabilityZone")
EGRESS_KINDS: Final = frozenset({INSTANCE, NODE, NODE_POOL, POD_NETWORKING})
"""By which `egress_vswitches` finds them."""
_DESTINATIONS: Final = ("destinationCidrBlock", "destinationCidrblock")
"""VPCRouteEntry's, and RouteEntry's."""


def is_egress_pool(pool: Subject, context: Context) -> bool:
    """Whether a node pool has the labels by which gateways find egress nodes; every one may where nobody says which."""
    reader = Reader()
    labels = {
        (reader.text(reader.field(label, "key")) or "", reader.text(reader.field(label, "value")) or "")
        for label in reader.items(reader.field(root(pool.whole), "labels"))
    }
    return context.egress_labels <= labels


def egress_pools(stack: CloudStack, context: Context) -> Iterator[Subject]:
    """The node pools of the stack that gateways run in."""
    return (pool for pool in stack.each({NODE_POOL}) if is_egress_pool(pool, context))


def egress_networkings(stack: CloudStack, context: Context) -> Iterator[Subject]:
    """The PodNetworkings of the stack that gateways may get their addresses from."""
    return (each for each in stack.each({POD_NETWORKING}) if may_select_gateways(each, context))


def vswitches_of(stack: CloudStack, subject: Subject) -> Leads:
    """The vSwitches of a node pool, or of a PodNetworking."""
    if subject.group_kind == NODE_POOL:
        return stack.follow(subject, "vswitchIds", SWITCHES)
    reader = Reader()
    options = reader.items(reader.field(root(subject.whole), "spec", "vSwitchOptions"))
    return stack.follow(subject, "spec", SWITCHES, [option.value for option in options])


def egress_vswitches(stack: CloudStack, context: Context) -> Leads | None:
    """The vSwitches whose traffic is the egress nodes' or the gateways'; `None` where the stack has no such nodes."""
    nodes = [node for node in stack.each({NODE}) if is_egress_node(node, context)]
    owners = [*egress_pools(stack, context), *egress_networkings(stack, context)]
    if not owners and not nodes:
        return None
    found = [vswitches_of(stack, owner) for owner in owners]
    found += [stack.follow(instance, "vswitchId", SWITCHES) for node in nodes if (instance := _machine(stack, node))]
    handles = frozenset[str]().union(*(each.handles for each in found))
    return Leads(handles=handles, is_known=all(each.is_known for each in found))


def dedicated_vswitches(stack: CloudStack, context: Context) -> frozenset[str]:
    """The vSwitches that are there for the egress alone.

    Those of nodes are only where somebody says which nodes gateways run in: elsewhere each could be one.
    """
    if context.egress_labels:
        found = egress_vswitches(stack, context)
        return frozenset() if found is None else found.handles
    return frozenset[str]().union(*(vswitches_of(stack, each).handles for each in egress_networkings(stack, context)))


def egress_instances(stack: CloudStack, context: Context) -> frozenset[str]:
    """The ids of the instances that egress nodes of the cluster are; every node may be one where nobody says which."""
    nodes = (node for node in stack.each({NODE}) if not context.egress_labels or is_egress_node(node, context))
    return frozenset(found for node in nodes if (found := instance_of(node)) is not None)


def _machine(stack: CloudStack, node: Subject) -> Subject | None:
    """The instance that a node is, if the stack shows it."""
    found = stack.find(instance_of(node) or "")
    return found if found is not None and found.group_kind == INSTANCE else None


def zone_of(stack: CloudStack, vswitch: str) -> str | None:
    """The zone of a vSwitch; `None` where the stack does not show it."""
    subject = stack.find(vswitch)
    found = [Reader().field(root(subject.whole), key).value for key in _ZONES] if subject is not None else []
    return next((zone for zone in found if isinstance(zone, str) and zone != ""), None)


def range_of(vswitch: Subject) -> Network | None:
    """The addresses of a vSwitch; `None` where nobody can read them."""
    return _network(Reader().text(Reader().field(root(vswitch.whole), "cidrBlock")))


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """One entry of a route table."""

    subject: Subject
    tables: Leads
    destination: Node
    network: Network | None
    """`None` where it cannot be read: EGR700 and EGR720 say so."""
    gateways: Leads
    """The NAT gateways that it leads to, by whichever name."""
    next_hop: str | None
    """Of which type its next hop is; `None` where that is not said."""


def routes_in(stack: CloudStack) -> Iterator[Route]:
    """The entries of route tables."""
    reader = Reader()
    for subject in stack.each(ROUTE_ENTRIES):
        whole = root(subject.whole)
        destination = next(
            (node for key in _DESTINATIONS if (node := reader.field(whole, key)).value is not None),
            reader.field(whole, _DESTINATIONS[0]),
        )
        yield Route(
            subject=subject,
            tables=stack.follow(subject, "routeTableId", ROUTE_TABLES),
            destination=destination,
            network=_network(reader.text(destination)),
            gateways=_gateways(stack, subject),
            next_hop=reader.text(reader.field(whole, "nexthopType")),
        )


def tables_of(stack: CloudStack, firewall: Subject) -> Leads:
    """The route tables whose default route a NAT firewall takes over."""
    reader = Reader()
    entries = reader.items(reader.field(root(firewall.whole), "natRouteEntryLists"))
    values = [reader.field(entry, "routeTableId").value for entry in entries]
    # Several routes may stand in one table, whose id is not known yet.
    known = [value for value in dict.fromkeys(map(_hashable, values)) if value is not None]
    return stack.follow(firewall, "natRouteEntryLists", ROUTE_TABLES, known)


def gateway_of(stack: CloudStack, firewall: Subject) -> Leads:
    """The NAT gateway that a NAT firewall stands at."""
    return stack.follow(firewall, "natGatewayId", {NAT_GATEWAY})


def egress_tables(stack: CloudStack, context: Context) -> frozenset[str]:
    """The route tables of egress traffic.

    Firewalls take them over, or NAT gateways are reached by them, or they are the egress vSwitches' own.
    """
    found = [tables_of(stack, firewall).handles for firewall in stack.each({NAT_FIREWALL})]
    gateways = {stack.handle_of(gateway) for gateway in stack.each({NAT_GATEWAY})}
    found += [route.tables.handles for route in routes_in(stack) if not gateways.isdisjoint(route.gateways.handles)]
    vswitches = egress_vswitches(stack, context)
    if vswitches is not None:
        attached = attachments_in(stack).values()
        found += [table.handles for table, vswitch in attached if not vswitches.handles.isdisjoint(vswitch.handles)]
        others = vswitches.handles.difference(*(vswitch.handles for _, vswitch in attached))
        found += [_system_table(stack, vswitch) for vswitch in others]
    return frozenset[str]().union(*found)


def _system_table(stack: CloudStack, vswitch: str) -> frozenset[str]:
    """The table that a vSwitch without another has, if the stack shows it."""
    subject = stack.find(vswitch)
    return frozenset() if subject is None else stack.follow(subject, "vpcId", {NETWORK}).handles


def attachments_in(stack: CloudStack) -> dict[Subject, tuple[Leads, Leads]]:
    """The table and the vSwitch of each attachment."""
    return {
        subject: (
            stack.follow(subject, "routeTableId", ROUTE_TABLES),
            stack.follow(subject, "vswitchId", SWITCHES),
        )
        for subject in stack.each({ROUTE_TABLE_ATTACHMENT})
    }


def _gateways(stack: CloudStack, subject: Subject) -> Leads:
    """A route that the firewall took over has its own next hop; the program still says which gateway is meant."""
    hops = Reader().items(Reader().field(root(subject.whole), "nextHops"))
    if hops:
        values = [Reader().field(hop, "nexthopId").value for hop in hops]
        return stack.follow(subject, "nextHops", {NAT_GATEWAY}, values)
    return stack.follow(subject, "nexthopId", {NAT_GATEWAY})


def _network(text: str | None) -> Network | None:
    try:
        return None if text is None else parse_network(text)
    except ValueError:
        return None


def _hashable(value: object) -> object:
    return UNKNOWN if as_mapping(value) is not None or isinstance(value, list) else value
