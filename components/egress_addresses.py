"""The egress nodes' own network, and the addresses as which the outside sees what leaves it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_alicloud as alicloud

from components.plan.cloud.network import NatPlan, NetworkPlan, Purpose, VSwitch
from components.settings.cloud.addresses import MOST_OF_ONE_ADDRESS
from components.vpc import ANYWHERE, route_table, vswitch

_POINTED_ELSEWHERE: Final = ["nexthopId", "nexthopType", "nextHops"]
"""What of the route Cloud Firewall changes: to point it back would be a way around the firewall."""


@dataclass(frozen=True, kw_only=True)
class EgressAddressesArgs:
    """What to create, and after what the cloud calls it."""

    plan: NetworkPlan
    cluster: str


@dataclass(frozen=True, kw_only=True)
class NatSide:
    """A NAT gateway with its addresses, and the one route table whose way out it is."""

    gateway: alicloud.vpc.NatGateway
    cidrs: Sequence[pulumi.Output[str]]
    """The addresses, each as a range."""
    route_table: alicloud.vpc.RouteTable
    in_place: Sequence[pulumi.Resource]
    """What makes it send: the route, and the SNAT entries."""


class EgressAddresses(pulumi.ComponentResource):
    """vSwitches for nodes and pods; with a NAT gateway of their own, their one way out and its elastic IP addresses.

    The way out is a route table of their own, so that no other vSwitch uses it. There is one SNAT entry for each
    vSwitch, with all addresses. It comes once they are on the gateway and the vSwitch uses that table, and goes before:
    by the VPC's own table the vSwitch would reach the gateway past the firewall.
    """

    vswitches: Mapping[str, alicloud.vpc.Switch]
    """Those of nodes and pods, by name."""
    nat: NatSide | None
    ready: Sequence[pulumi.Resource]
    """What nodes wait for."""

    def __init__(self, name: str, args: EgressAddressesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:cloud:EgressAddresses", name, None, opts)
        self._plan, self._cluster = args.plan, args.cluster
        inside = [each for each in args.plan.vswitches if each.purpose in {Purpose.NODES, Purpose.PODS}]
        self.vswitches = {each.name: self._vswitch(each) for each in inside}
        self.nat = None if args.plan.nat is None else self._nat(args.plan.nat)
        self.ready = [*self.vswitches.values(), *(() if self.nat is None else self.nat.in_place)]
        self.register_outputs({})

    def _nat(self, plan: NatPlan) -> NatSide:
        gateway = alicloud.vpc.NatGateway(
            "nat",
            nat_gateway_name=f"{self._cluster}-egress",
            vpc_id=self._plan.vpc,
            vswitch_id=self._vswitch(plan.vswitch).id,
            nat_type="Enhanced",
            network_type="internet",
            payment_type="PayAsYouGo",
            internet_charge_type="PayByLcu",
            deletion_protection=self._plan.gateway_protected,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=self._plan.gateway_protected,
                replace_on_changes=["vswitchId"],  # the API moves no gateway, and the provider would ask it to
            ),
        )
        eips = {name: self._eip(name, plan) for name in plan.eips}
        placed = [self._on_gateway(name, eip, gateway) for name, eip in eips.items()]
        if plan.shared_bandwidth:
            # An entry's addresses share a package (CreateSnatEntry: OperationUnsupported.EipNatBWPCheck).
            placed += self._share(plan, eips)
        addresses = pulumi.Output.all(*(eip.ip_address for eip in eips.values()))
        table, route, used = self._way_out(gateway)
        entries: list[pulumi.Resource] = []
        for each in plan.sends:
            # One after the other: the API takes no two at once at a gateway.
            after = [*placed, used[each.name], *entries[-1:]]
            entries.append(self._snat_entry(each, gateway, addresses, after))
        return NatSide(
            gateway=gateway,
            cidrs=[pulumi.Output.format("{0}/32", eip.ip_address) for eip in eips.values()],
            route_table=table,
            in_place=[route, *used.values(), *entries],
        )

    def _vswitch(self, planned: VSwitch) -> alicloud.vpc.Switch:
        return vswitch(self, planned, cluster=self._cluster, vpc=self._plan.vpc)

    def _eip(self, name: str, plan: NatPlan) -> alicloud.ecs.EipAddress:
        # In a package an address has the package's bandwidth; its own says nothing, but has to be one.
        bandwidth = min(plan.bandwidth, MOST_OF_ONE_ADDRESS) if plan.shared_bandwidth else plan.bandwidth
        return alicloud.ecs.EipAddress(
            name,
            address_name=f"{self._cluster}-egress-{name}",
            payment_type="PayAsYouGo",
            internet_charge_type="PayByTraffic",
            bandwidth=str(bandwidth),
            deletion_protection=self._plan.addresses_protected,
            opts=pulumi.ResourceOptions(parent=self, protect=self._plan.addresses_protected),
        )

    def _on_gateway(self, name: str, eip: alicloud.ecs.EipAddress, gateway: alicloud.vpc.NatGateway) -> pulumi.Resource:
        return alicloud.ecs.EipAssociation(
            name,
            allocation_id=eip.id,
            instance_id=gateway.id,
            instance_type="Nat",
            # An address is in one place at a time.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _share(self, plan: NatPlan, eips: Mapping[str, alicloud.ecs.EipAddress]) -> list[pulumi.Resource]:
        package = alicloud.vpc.CommonBandwithPackage(
            "bandwidth",
            bandwidth_package_name=f"{self._cluster}-egress",
            internet_charge_type="PayByBandwidth",
            bandwidth=str(plan.bandwidth),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return [
            alicloud.vpc.CommonBandwithPackageAttachment(
                name,
                bandwidth_package_id=package.id,
                instance_id=eip.id,
                # An address is in one package at a time.
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
            for name, eip in eips.items()
        ]

    def _way_out(
        self, gateway: alicloud.vpc.NatGateway
    ) -> tuple[alicloud.vpc.RouteTable, pulumi.Resource, Mapping[str, pulumi.Resource]]:
        """The route table, the route that makes it the way out, and what says that a vSwitch uses it, by its name."""
        planned = next(each for each in self._plan.route_tables if each.purpose == "egress")
        table, used = route_table(
            self,
            planned,
            self.vswitches,
            cluster=self._cluster,
            vpc=self._plan.vpc,
            learns=True,  # that is how backends in connected networks are reached
        )
        # Not `RouteEntry`: once the firewall has pointed it elsewhere, a refresh would no longer find that.
        route = alicloud.vpc.VPCRouteEntry(
            planned.name,
            route_table_id=table.id,
            destination_cidr_block=ANYWHERE,
            nexthop_type="NatGateway",
            nexthop_id=gateway.id,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=_POINTED_ELSEWHERE),
        )
        return table, route, used

    def _snat_entry(
        self,
        sends: VSwitch,
        gateway: alicloud.vpc.NatGateway,
        addresses: pulumi.Output[list[str]],
        after: Sequence[pulumi.Resource],
    ) -> pulumi.Resource:
        return alicloud.vpc.SnatEntry(
            sends.name,
            snat_entry_name=f"{self._cluster}-{sends.name}",
            snat_table_id=gateway.snat_table_ids,
            source_vswitch_id=self.vswitches[sends.name].id,
            snat_ip=addresses.apply(",".join),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*after]),
        )
