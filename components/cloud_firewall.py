"""Cloud Firewall at the NAT gateway: what is declared passes, and at last nothing else."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_alicloud as alicloud

from components.egress_addresses import ANYWHERE, NatSide
from components.firewall_propagation import FirewallPropagation
from components.internet_boundary import at_internet_boundary
from components.plan.cloud.firewall import AddressBook, FirewallPlan, Policy
from components.plan.cloud.network import VSwitch
from components.vpc import route_table, vswitch

_STRICT: Final = 1
"""What is not recognised yet is judged by the policies that follow, so that it ends at the last one. Without it such
traffic passes wherever a policy for a name could still fit."""
_HOUR: Final = pulumi.CustomTimeouts(create="60m", update="60m", delete="60m")
"""Creation takes up to five minutes for each address, and waits until the firewall knows of a new route: up to half an
hour (Cloud Firewall, "FAQ about enabling and disabling firewalls"). The provider's own limit is ten minutes."""
_THROTTLED: Final = pulumi.CustomTimeouts(create="20m", update="20m", delete="20m")
"""A long chain of changes meets the limit of ten calls a second."""


@dataclass(frozen=True, kw_only=True)
class CloudFirewallAllowlistArgs:
    """What to create, and where."""

    plan: FirewallPlan
    vswitch: VSwitch
    """Its own."""
    nat: NatSide
    cluster: str
    region: str
    vpc: str
    protected: bool


class CloudFirewallAllowlist(pulumi.ComponentResource):
    """The NAT firewall, then book and policy after one another in the policies' order, and the last one for all.

    A book comes after the policy before it: where one was split, what moves is let pass before the old book shrinks.
    An update of the last policy, from `log` to `drop`, comes after every policy that lets something pass.
    """

    in_force: pulumi.Resource
    """There once the firewall does as its policies say. Whoever could send waits for it."""

    def __init__(self, name: str, args: CloudFirewallAllowlistArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:cloud:CloudFirewallAllowlist", name, None, opts)
        self._args = args
        firewall = self._firewall(name)
        sources = {book.name: address_book(self, book, [firewall]) for book in args.plan.sources}
        before: pulumi.Resource = firewall
        for policy in args.plan.policies:
            before = self._policy(policy, sources, before)
        last = [before]
        if args.plan.internet_boundary:
            last.append(at_internet_boundary(self, args.plan, args.nat.cidrs, last))
        self.in_force = FirewallPropagation(
            name,
            policies=_digest(args.plan),
            seconds=args.plan.propagation_seconds,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=pulumi.ProviderResource(
                    "pulumi-python", "waiting", {}, pulumi.ResourceOptions(parent=self)
                ),
                depends_on=last,
            ),
        )
        self.register_outputs({})

    def _firewall(self, name: str) -> alicloud.cloudfirewall.NatFirewall:
        args = self._args
        own = vswitch(self, args.vswitch, cluster=args.cluster, vpc=args.vpc)
        # The firewall puts its own default route here, and finds none.
        table = route_table(self, "firewall", cluster=args.cluster, vpc=args.vpc, learns=False)
        attached = alicloud.vpc.RouteTableAttachment(
            args.vswitch.name,
            vswitch_id=own.id,
            route_table_id=table.id,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return alicloud.cloudfirewall.NatFirewall(
            name,
            proxy_name=args.plan.name,
            region_no=args.region,
            vpc_id=args.vpc,
            nat_gateway_id=args.nat.gateway.id,
            nat_route_entry_lists=[
                alicloud.cloudfirewall.NatFirewallNatRouteEntryListArgs(
                    route_table_id=args.nat.route_table.id,
                    destination_cidr=ANYWHERE,
                    nexthop_type="NatGateway",
                    nexthop_id=args.nat.gateway.id,
                )
            ],
            vswitch_auto="false",
            vswitch_id=own.id,
            strict_mode=_STRICT,
            status="normal",
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protected,
                delete_before_replace=True,  # a NAT gateway has one
                custom_timeouts=_HOUR,
                depends_on=[attached, *args.nat.in_place],
            ),
        )

    def _policy(
        self, policy: Policy, sources: Mapping[str, pulumi.Input[str]], before: pulumi.Resource
    ) -> pulumi.Resource:
        book = None if policy.destination is None else address_book(self, policy.destination, [before])
        return alicloud.cloudfirewall.NatFirewallControlPolicy(policy.name)


def address_book(
    component: pulumi.ComponentResource, book: AddressBook, after: Sequence[pulumi.Resource]
) -> alicloud.cloudfirewall.AddressBook:
    ...


def _digest(plan: FirewallPlan) -> str:
    """A digest of everything that the policies say."""
    said = json.dumps([dataclasses.asdict(policy) for policy in plan.policies], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
