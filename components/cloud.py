"""What is created on Alibaba Cloud, in its order: addresses, the firewall, and then what could send."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_alicloud as alicloud

from components.cloud_firewall import CloudFirewallAllowlist, CloudFirewallAllowlistArgs
from components.egress_addresses import EgressAddresses, EgressAddressesArgs
from components.node_pool import EgressNodePool, EgressNodePoolArgs
from components.plan.cloud.planning import CloudPlan
from components.settings.cloud.account import Cloud


@dataclass(frozen=True, kw_only=True)
class CreatedCloud:
    """What the rest of the program needs of it."""

    ready: Sequence[pulumi.Resource]
    """What everything in the cluster waits for."""
    cidrs: pulumi.Output[list[str]] | None
    """The elastic IP addresses that the outside sees, as ranges; `None` where it sees others."""


def create_cloud(plan: CloudPlan, cluster: pulumi.ProviderResource) -> CreatedCloud:
    """Register everything of `plan`; what of it is in the cluster goes there by the provider `cluster`."""
    opts = pulumi.ResourceOptions(provider=_provider(plan.place))
    network = EgressAddresses("addresses", EgressAddressesArgs(plan=plan.network, cluster=plan.cluster), opts)
    after = [*network.ready]
    if plan.firewall is not None and network.nat is not None:
        firewall = CloudFirewallAllowlistArgs(
            plan=plan.firewall,
            network=plan.network,
            nat=network.nat,
            cluster=plan.cluster,
            region=plan.place.region,
        )
        after.append(CloudFirewallAllowlist("firewall", firewall, opts).in_force)
    pool = EgressNodePoolArgs(
        plan=plan.nodes, vpc=plan.network.vpc, vswitches=network.vswitches, cluster=cluster, after=after
    )
    return CreatedCloud(
        ready=EgressNodePool("nodes", pool, opts).ready,
        cidrs=None if network.nat is None else pulumi.Output.all(*network.nat.cidrs).apply(sorted),
    )


def _provider(place: Cloud) -> alicloud.Provider:
    """Credentials come from the environment. What is not said here it asks the network for, also in a preview."""
    return alicloud.Provider(
        "cloud",
        region=place.region,
        account_id=place.account,
        account_type=place.site,
        assume_role=None
        if place.role is None
        else alicloud.ProviderAssumeRoleArgs(role_arn=place.role, session_name="cluster-egress"),
    )
