"""Cloud Firewall at the NAT gateway: what is declared passes, and at last nothing else."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_alicloud as alicloud

from components.address_books import THROTTLED, Book, address_book, ends, ports
from components.egress_addresses import NatSide
from components.firewall_propagation import FirewallPropagation
from components.internet_boundary import at_internet_boundary
from components.plan.cloud.firewall import FirewallPlan, Policy
from components.plan.cloud.network import NetworkPlan
from components.vpc import ANYWHERE, route_table, vswitch

_STRICT: Final = 1
"""What is not recognised yet goes on to the policies that follow, and so to the last one. Otherwise it passes as soon
as a policy for names could fit (Cloud Firewall, "Configure the strict mode")."""
_SLOW: Final = pulumi.CustomTimeouts(create="60m", update="60m", delete="60m")
"""Creation takes up to five minutes for each address, after up to half an hour in which the firewall learns of a new
route (Cloud Firewall, "FAQ about enabling and disabling firewalls"). The provider would give up after ten minutes."""


@dataclass(frozen=True, kw_only=True)
class CloudFirewallAllowlistArgs:
    """What to create, and where."""

    plan: FirewallPlan
    network: NetworkPlan
    nat: NatSide
    cluster: str
    region: str


class CloudFirewallAllowlist(pulumi.ComponentResource):
    """The NAT firewall, then book and policy one after the other in the policies' order, and last the one for all.

    A book waits for the policy before it: where one was split, what moves is let pass before the old book shrinks.
    The last policy, when it turns from `log` to `drop`, waits for everything that is let pass.
    """

    in_force: pulumi.Resource
    """There once the firewall does what its policies say: whoever could send waits for it."""

    def __init__(self, name: str, args: CloudFirewallAllowlistArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:cloud:CloudFirewallAllowlist", name, None, opts)
        self._args = args
        firewall = self._firewall(name)
        sources = {each.name: address_book(self, each, [firewall]) for each in args.plan.sources}
        destinations: dict[str, Book] = {}
        last: pulumi.Resource = firewall
        for policy in args.plan.policies:
            if policy.destination is not None:
                destinations[policy.destination.name] = address_book(self, policy.destination, [last])
            last = self._policy(policy, sources, destinations, last)
        if args.plan.internet_boundary:
            last = at_internet_boundary(
                self, args.plan, destinations, cluster=args.cluster, cidrs=args.nat.cidrs, after=last
            )
        self.in_force = FirewallPropagation(
            name,
            policies=_digest(args.plan),
            seconds=args.plan.propagation_seconds,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=pulumi.ProviderResource("pulumi-python", "waiting", {}, pulumi.ResourceOptions(parent=self)),
                depends_on=[last],
            ),
        )
        self.register_outputs({})

    def _firewall(self, name: str) -> pulumi.Resource:
        args = self._args
        planned = next(each for each in args.network.route_tables if each.purpose == "firewall")
        own = {each.name: vswitch(self, each, cluster=args.cluster, vpc=args.network.vpc) for each in planned.vswitches}
        # The firewall puts its own default route into this table, and refuses one that has any.
        _, used = route_table(self, planned, own, cluster=args.cluster, vpc=args.network.vpc, learns=False)
        return alicloud.cloudfirewall.NatFirewall(
            name,
            proxy_name=args.plan.name,
            region_no=args.region,
            vpc_id=args.network.vpc,
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
            vswitch_id=own[planned.vswitches[0].name].id,
            strict_mode=_STRICT,
            status="normal",
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.network.gateway_protected,
                delete_before_replace=True,  # a NAT gateway has one
                replace_on_changes=["vswitchId"],  # the provider would say that it is done, and do nothing
                custom_timeouts=_SLOW,
                depends_on=[*used.values(), *args.nat.in_place],
            ),
        )

    def _policy(
        self, policy: Policy, sources: dict[str, Book], destinations: dict[str, Book], after: pulumi.Resource
    ) -> pulumi.Resource:
        return alicloud.cloudfirewall.NatFirewallControlPolicy(
            policy.name,
            nat_gateway_id=self._args.nat.gateway.id,
            description=policy.description,
            direction="out",
            ip_version="4",
            acl_action=policy.action,
            **ends(
                None if policy.source is None else sources[policy.source.name],
                None if policy.destination is None else destinations[policy.destination.name],
            ),
            proto=policy.protocol,
            application_name_lists=[policy.application],
            domain_resolve_type=policy.resolved_by,
            dest_port_type="port",
            dest_port=ports(policy.port),
            new_order=str(policy.order),
            release="true",
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=THROTTLED, depends_on=[after]),
        )


def _digest(plan: FirewallPlan) -> str:
    """The same as long as the policies say the same."""
    said = json.dumps([dataclasses.asdict(policy) for policy in plan.policies], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
