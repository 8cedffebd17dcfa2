"""One of each resource that our stacks have on Alibaba Cloud, small; what changes comes from the configuration."""

from typing import Any

import pulumi
import pulumi_alicloud as alicloud

CLUSTER, VPC, REGION, ZONE = "c-test", "vpc-test", "cn-hangzhou", "cn-hangzhou-h"
ANYWHERE = "0.0.0.0/0"

config = pulumi.Config()
revision, action = config.get("revision") or "1", config.get("action") or "log"
hosts = config.get_object("hosts") or ["a.example.com", "b.example.com"]

provider = alicloud.Provider("cloud", region=REGION, account_id="1000000000000001", account_type="International")
on_cloud = pulumi.ResourceOptions(provider=provider)


def after(*resources: pulumi.Resource) -> pulumi.ResourceOptions:
    """On the cloud, and later than these."""
    return pulumi.ResourceOptions(provider=provider, depends_on=[*resources])


def vswitch(name: str, cidr: str) -> alicloud.vpc.Switch:
    """A vSwitch; its name changes with the revision."""
    return alicloud.vpc.Switch(
        name, vpc_id=VPC, zone_id=ZONE, cidr_block=cidr, vswitch_name=f"{name}-{revision}", opts=on_cloud
    )


nodes, of_nat, of_firewall = (
    vswitch("nodes", "10.0.1.0/24"),
    vswitch("nat", "10.0.2.0/28"),
    vswitch("firewall", "10.0.2.16/28"),
)
gateway = alicloud.vpc.NatGateway(
    "nat",
    vpc_id=VPC,
    vswitch_id=of_nat.id,
    nat_gateway_name=f"nat-{revision}",
    nat_type="Enhanced",
    network_type="internet",
    payment_type="PayAsYouGo",
    internet_charge_type="PayByLcu",
    deletion_protection=config.get_bool("protected") or False,
    opts=on_cloud,
)
eip = alicloud.ecs.EipAddress(
    "eip",
    address_name=f"eip-{revision}",
    payment_type="PayAsYouGo",
    internet_charge_type="PayByTraffic",
    bandwidth="100",
    opts=on_cloud,
)
bound = alicloud.ecs.EipAssociation(
    "eip", allocation_id=eip.id, instance_id=gateway.id, instance_type="Nat", opts=on_cloud
)
package = alicloud.vpc.CommonBandwithPackage(
    "bandwidth",
    bandwidth_package_name=f"package-{revision}",
    internet_charge_type="PayByBandwidth",
    bandwidth="100",
    opts=on_cloud,
)
alicloud.vpc.CommonBandwithPackageAttachment("eip", bandwidth_package_id=package.id, instance_id=eip.id, opts=on_cloud)
tables = {
    name: alicloud.vpc.RouteTable(
        name,
        route_table_name=f"{name}-{revision}",
        vpc_id=VPC,
        associate_type="VSwitch",
        route_propagation_enable=learns,
        opts=on_cloud,
    )
    for name, learns in (("egress", True), ("firewall", False))
}
used = [
    alicloud.vpc.RouteTableAttachment(name, vswitch_id=each.id, route_table_id=tables[table].id, opts=on_cloud)
    for name, each, table in (("nodes", nodes, "egress"), ("firewall", of_firewall, "firewall"))
]
route = alicloud.vpc.VPCRouteEntry(
    "egress",
    route_table_id=tables["egress"].id,
    destination_cidr_block=ANYWHERE,
    nexthop_type="NatGateway",
    nexthop_id=gateway.id,
    opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["nexthopId", "nexthopType", "nextHops"]),
)
snat = alicloud.vpc.SnatEntry(
    "nodes",
    snat_entry_name=f"nodes-{revision}",
    snat_table_id=gateway.snat_table_ids,
    source_vswitch_id=nodes.id,
    snat_ip=eip.ip_address,
    opts=after(bound),
)
firewall = alicloud.cloudfirewall.NatFirewall(
    "firewall",
    proxy_name="ce_test",
    region_no=REGION,
    vpc_id=VPC,
    nat_gateway_id=gateway.id,
    nat_route_entry_lists=[
        alicloud.cloudfirewall.NatFirewallNatRouteEntryListArgs(
            route_table_id=tables["egress"].id,
            destination_cidr=ANYWHERE,
            nexthop_type="NatGateway",
            nexthop_id=gateway.id,
        )
    ],
    vswitch_auto="false",
    vswitch_id=of_firewall.id,
    strict_mode=1,
    status="normal",
    opts=after(*used, route, snat),
)
books = {
    name: alicloud.cloudfirewall.AddressBook(
        name,
        group_name=f"ce-{name}",
        group_type=kind,
        description=f"d-{revision}",
        address_lists=entries,
        opts=on_cloud,
    )
    for name, kind, entries in (("nodes", "ip", ["10.0.1.0/24"]), ("hosts", "domain", hosts))
}


def policy(name: str, order: int, *later_than: pulumi.Resource, **said: Any) -> pulumi.Resource:
    """A policy at the NAT boundary."""
    return alicloud.cloudfirewall.NatFirewallControlPolicy(
        name,
        nat_gateway_id=gateway.id,
        description=f"{name}-{revision}",
        direction="out",
        ip_version="4",
        new_order=str(order),
        dest_port_type="port",
        release="true",
        opts=after(*later_than),
        **said,
    )


from_nodes: dict[str, Any] = {"source": books["nodes"].group_name, "source_type": "group"}
to_hosts: dict[str, Any] = {"destination": books["hosts"].group_name, "destination_type": "group"}
by_name: dict[str, Any] = {"proto": "TCP", "application_name_lists": ["HTTPS"], "dest_port": "443/443"}
by_address: dict[str, Any] = {"proto": "TCP", "application_name_lists": ["ANY"], "dest_port": "6379/6379"}
anywhere: dict[str, Any] = {"destination": ANYWHERE, "destination_type": "net"}
first = policy("names", 1, firewall, acl_action="accept", domain_resolve_type=0, **from_nodes, **to_hosts, **by_name)
second = policy(
    "addresses", 2, first, acl_action="accept", domain_resolve_type=1, **from_nodes, **to_hosts, **by_address
)
last = policy(
    "rest",
    3,
    second,
    acl_action=action,
    source=ANYWHERE,
    source_type="net",
    proto="ANY",
    application_name_lists=["ANY"],
    dest_port="0/0",
    **anywhere,
)
at_internet = alicloud.cloudfirewall.ControlPolicy(
    "names",
    description=f"names-{revision}",
    direction="out",
    ip_version="4",
    acl_action="accept",
    domain_resolve_type="FQDN",
    dest_port_type="port",
    release="true",
    opts=on_cloud,
    **from_nodes,
    **to_hosts,
    **by_name,
)
alicloud.cloudfirewall.ControlPolicyOrder(
    "names", acl_uuid=at_internet.acl_uuid, direction="out", order=1, opts=on_cloud
)
group = alicloud.ecs.SecurityGroup(
    "nodes", vpc_id=VPC, security_group_name=f"nodes-{revision}", security_group_type="enterprise", opts=on_cloud
)
rules = [
    alicloud.ecs.SecurityGroupRule(
        name,
        security_group_id=group.id,
        type="egress",
        policy="accept",
        ip_protocol=protocol,
        port_range=ports,
        cidr_ip=cidr,
        priority=1,
        nic_type="intranet",
        description=f"{name}-{revision}",
        opts=on_cloud,
    )
    for name, protocol, ports, cidr in (
        ("services", "all", "-1/-1", "100.64.0.0/10"),
        ("https", "tcp", "443/443", ANYWHERE),
    )
]
alicloud.cs.NodePool(
    "nodes",
    node_pool_name=f"nodes-{revision}",
    cluster_id=CLUSTER,
    vswitch_ids=[nodes.id],
    instance_types=["ecs.g7.large"],
    security_group_ids=[group.id],
    desired_size="2",
    system_disk_category="cloud_essd",
    system_disk_size=120,
    labels=[alicloud.cs.NodePoolLabelArgs(key="role", value=f"egress-{revision}")],
    taints=[alicloud.cs.NodePoolTaintArgs(key="egress", value="only", effect="NoSchedule")],
    opts=after(last, *rules),
)
