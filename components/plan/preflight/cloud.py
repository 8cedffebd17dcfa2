"""What is created on Alibaba Cloud: does it fit into what the account may have, and into the cluster's own ranges?"""

import ipaddress
from collections.abc import Iterator

from components.plan.cloud.planning import CloudPlan, plan_cloud
from components.plan.preflight.addresses import is_inside
from components.settings import Settings
from components.settings.cloud.addresses import NatAddresses
from components.settings.cloud.firewall import CloudFirewall
from components.settings.cloud.nodes import DedicatedNodes
from components.settings.problems import Found, Path
from policy.approvals import Approvals

_ZONES: Path = ("egress", "nodes", "zones")


def check(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """Everything that the account, or the cluster, has no room for."""
    plan = plan_cloud(settings, approvals)
    if plan is not None:
        yield from _limits(plan)
        yield from _known(settings, approvals, approvals_file)
        yield from _taken(settings, approvals, plan)


def _limits(plan: CloudPlan) -> Found:
    for quota in plan.quotas:
        if quota.used > quota.limit:
            yield (
                quota.path,
                f"takes {quota.used} of what cloud.limits.{quota.name} says that there are {quota.limit} of "
                f"({quota.source})",
                f"less, or a higher cloud.limits.{quota.name}, where the account really has it",
            )


def _known(settings: Settings, approvals: Approvals, approvals_file: str) -> Found:
    """What is not known as the cluster's own would be cut off by its rules, and could be declared as a destination."""
    cluster, nodes = approvals.cluster, settings.egress.nodes
    for zone, ranges in (nodes.zones if isinstance(nodes, DedicatedNodes) else {}).items():
        for key, text, own in (("nodes", ranges.nodes, cluster.node_cidrs), ("pods", ranges.pods, cluster.pod_cidrs)):
            inside = [ipaddress.ip_network(each) for each in own]
            if text is not None and not any(is_inside(ipaddress.ip_network(text), each) for each in inside):
                yield (
                    (*_ZONES, zone, key),
                    f"{text} is not known as a range of the cluster's {key}, so that rules would cut it off",
                    f"a range within cluster.{key[:-1]}Cidrs of {approvals_file}, or have it added there",
                )


def _taken(settings: Settings, approvals: Approvals, plan: CloudPlan) -> Found:
    """What others have already."""
    cluster = approvals.cluster
    taken = [(each, "where Services get their addresses") for each in cluster.service_cidrs]
    taken += [(each, "where the API server answers") for each in cluster.api_server_addresses]
    if plan.place.pod_network == "flannel":
        taken += [(each, "where pods get their addresses") for each in cluster.pod_cidrs]
    for path, text in _ranges(settings):
        for other, what in taken:
            if ipaddress.ip_network(text).overlaps(ipaddress.ip_network(other)):
                yield path, f"{text} shares addresses with {other}, {what}", "a range that nothing else uses"


def _ranges(settings: Settings) -> Iterator[tuple[Path, str]]:
    egress = settings.egress
    for zone, ranges in (egress.nodes.zones if isinstance(egress.nodes, DedicatedNodes) else {}).items():
        yield (*_ZONES, zone, "nodes"), ranges.nodes
        if ranges.pods is not None:
            yield (*_ZONES, zone, "pods"), ranges.pods
    if isinstance(egress.addresses, NatAddresses):
        yield ("egress", "addresses", "network"), egress.addresses.network
    if isinstance(egress.firewall, CloudFirewall):
        yield ("egress", "firewall", "network"), egress.firewall.network
