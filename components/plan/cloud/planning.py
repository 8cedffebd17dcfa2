"""Everything that is created on Alibaba Cloud."""

from dataclasses import dataclass

from components.plan.cloud.firewall import FirewallPlan
from components.plan.cloud.network import NetworkPlan
from components.plan.cloud.nodes import NodePoolPlan
from components.plan.cloud.quotas import Quota
from components.settings.cloud.account import Cloud


@dataclass(frozen=True, kw_only=True)
class CloudPlan:
    """What is created there. `None` where the declaration does not ask for it."""

    place: Cloud
    """The account, the region and the cluster."""
    network: NetworkPlan
    nodes: NodePoolPlan
    firewall: FirewallPlan | None
    quotas: tuple[Quota, ...]
