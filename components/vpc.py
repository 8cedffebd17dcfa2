"""Registers parts of a VPC: what the egress nodes' network and their firewall's have in common."""

from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_alicloud as alicloud

from components.plan.cloud.network import RouteTable, VSwitch

ANYWHERE: Final = "0.0.0.0/0"


def vswitch(component: pulumi.ComponentResource, planned: VSwitch, *, cluster: str, vpc: str) -> alicloud.vpc.Switch:
    """Register a vSwitch as a child of `component`."""
    return alicloud.vpc.Switch(
        planned.name,
        vswitch_name=f"{cluster}-{planned.name}",
        vpc_id=vpc,
        zone_id=planned.zone,
        cidr_block=planned.cidr,
        opts=pulumi.ResourceOptions(parent=component),
    )


def route_table(
    component: pulumi.ComponentResource,
    planned: RouteTable,
    vswitches: Mapping[str, alicloud.vpc.Switch],
    *,
    cluster: str,
    vpc: str,
    learns: bool,
) -> tuple[alicloud.vpc.RouteTable, Mapping[str, pulumi.Resource]]:
    """Register a route table, and that its vSwitches use it, as children of `component`.

    Args:
        component: the parent.
        planned: the table.
        vswitches: at least its own, by name.
        cluster: what the cloud calls it after.
        vpc: the id of the VPC.
        learns: whether routes to networks that are connected to the VPC come in.

    Returns:
        The table, and what says that a vSwitch uses it, by the vSwitch's name.
    """
    table = alicloud.vpc.RouteTable(
        planned.name,
        route_table_name=f"{cluster}-{planned.name}",
        vpc_id=vpc,
        associate_type="VSwitch",
        route_propagation_enable=learns,
        opts=pulumi.ResourceOptions(parent=component),
    )
    # Only another vSwitch or VPC makes another of these: the old vSwitch then keeps its table until it goes itself.
    return table, {
        each.name: alicloud.vpc.RouteTableAttachment(
            each.name,
            vswitch_id=vswitches[each.name].id,
            route_table_id=table.id,
            opts=pulumi.ResourceOptions(parent=component),
        )
        for each in planned.vswitches
    }
