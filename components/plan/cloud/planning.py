"""Everything that is created on Alibaba Cloud."""

from dataclasses import dataclass

from components.plan.cloud.firewall import FirewallPlan, plan_firewall
from components.plan.cloud.network import NetworkPlan, plan_network
from components.plan.cloud.nodes import NodePoolPlan, plan_nodes
from components.plan.cloud.quotas import Quota, quotas
from components.settings import Settings
from components.settings.cloud.account import Cloud
from components.settings.cloud.firewall import CloudFirewall
from components.settings.cloud.nodes import DedicatedNodes
from policy.approvals import Approvals


@dataclass(frozen=True, kw_only=True)
class CloudPlan:
    """What is created there. `None` where the declaration does not ask for it."""

    cluster: str
    """The cluster's name: everything there is called after it."""
    place: Cloud
    """The account, the region and the cluster."""
    network: NetworkPlan
    nodes: NodePoolPlan
    firewall: FirewallPlan | None
    quotas: tuple[Quota, ...]


def plan_cloud(settings: Settings, approvals: Approvals) -> CloudPlan | None:
    """What is created on Alibaba Cloud: nothing where the nodes are there already, because all else is for them."""
    cloud, nodes, asked = settings.cloud, settings.egress.nodes, settings.egress.firewall
    if cloud is None or not isinstance(nodes, DedicatedNodes):
        return None
    network = plan_network(settings, cloud.vpc, nodes)
    pool = plan_nodes(settings, approvals, cloud, nodes, network)
    firewall = plan_firewall(settings, cloud, asked) if isinstance(asked, CloudFirewall) else None
    return CloudPlan(
        cluster=settings.cluster.name,
        place=cloud,
        network=network,
        nodes=pool,
        firewall=firewall,
        quotas=quotas(settings, approvals, cloud.limits, network=network, nodes=pool, firewall=firewall),
    )
