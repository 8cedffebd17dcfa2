"""Registers parts of a VPC: what the egress nodes' network and their firewall's have in common."""

from collections.abc import Sequence

import pulumi
import pulumi_alicloud as alicloud

from components.plan.cloud.network import VSwitch


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
    name: str,
    *,
    cluster: str,
    vpc: str,
    learns: bool,
) -> alicloud.vpc.RouteTable:
    """Register a route table of our own as a child of `component`. `learns`: routes of connected networks come in."""
    return alicloud.vpc.RouteTable(
        name,
        route_table_name=f"{cluster}-{name}",
        vpc_id=vpc,
        associate_type="VSwitch",
        route_propagation_enable=learns,
        opts=pulumi.ResourceOptions(parent=component),
    )
