"""The egress nodes: a pool with taints, security groups that say who reaches them, and whose addresses pods get."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.plan.cloud.network import NetworkPlan, Purpose, VSwitch
from components.plan.cloud.security_groups import SecurityGroup, security_groups
from components.plan.cloud.traffic import has_pod_addresses
from components.plan.egress_gateway import gateways_of
from components.plan.mesh.address import gateway_name, pods_of_gateway
from components.plan.offers.listeners import gateway_name as backend_gateway_name
from components.plan.offers.listeners import gateways_of as backend_gateways_of
from components.plan.offers.proxies import proxy_labels
from components.settings import Settings
from components.settings.cloud.account import Cloud
from components.settings.cloud.nodes import DedicatedNodes, Taint
from policy.approvals import Approvals


@dataclass(frozen=True, kw_only=True)
class PodNetworkingPlan:
    """Which pods get addresses of vSwitches of their own: Terway's PodNetworking (network.alibabacloud.com/v1beta1)."""

    name: str
    """The gateway's."""
    namespace: str
    """Its pods', known by the label `kubernetes.io/metadata.name`."""
    labels: Mapping[str, str]
    """Its pods' alone in that namespace: whoever else is there, on other nodes, must not get such an address."""
    vswitches: tuple[VSwitch, ...]


@dataclass(frozen=True, kw_only=True)
class NodePoolPlan:
    """A pool of ECS instances in the cluster."""

    name: str
    cluster_id: str
    vswitches: tuple[VSwitch, ...]
    """One a zone."""
    instance_types: tuple[str, ...]
    count: int | None
    """`None`: by load, between `least` and `most`."""
    least: int | None
    most: int | None
    image: str
    disk_gib: int
    kms_key: str | None
    """The key that encrypts the disk; `None` for the service's own."""
    labels: tuple[tuple[str, str], ...]
    """Sorted: the provider compares lists."""
    taints: tuple[tuple[str, Taint], ...]
    """Sorted by key."""
    security_groups: tuple[SecurityGroup, ...]
    """The nodes' group; with pods that have vSwitches of their own, theirs as well."""
    pod_networkings: tuple[PodNetworkingPlan, ...]
    """One a gateway, by name."""


def plan_nodes(
    settings: Settings, approvals: Approvals, cloud: Cloud, nodes: DedicatedNodes, network: NetworkPlan
) -> NodePoolPlan:
    """The pool of nodes that are created."""
    scaled = nodes.autoscaling
    return NodePoolPlan(
        name=f"{settings.cluster.name}-egress",
        cluster_id=cloud.cluster,
        vswitches=_for(network, Purpose.NODES),
        instance_types=nodes.instance_types,
        count=nodes.count,
        least=None if scaled is None else scaled.min,
        most=None if scaled is None else scaled.max,
        image=nodes.image,
        disk_gib=nodes.disk.gib,
        kms_key=nodes.disk.kms_key,
        labels=tuple(sorted(nodes.labels.items())),
        taints=tuple(sorted(nodes.taints.items())),
        security_groups=security_groups(settings, approvals, network),
        pod_networkings=tuple(
            PodNetworkingPlan(name=name, namespace=namespace, labels=labels, vswitches=_for(network, Purpose.PODS))
            for name, namespace, labels in sorted(_gateway_pods(settings))
        )
        if _for(network, Purpose.PODS)
        else (),
    )


def _for(network: NetworkPlan, purpose: Purpose) -> tuple[VSwitch, ...]:
    return tuple(each for each in network.vswitches if each.purpose is purpose)


def _gateway_pods(settings: Settings) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """The pods on egress nodes that have addresses of their own: each gateway's name, namespace and labels.

    Terway passes over pods on their node's network (terway, pkg/controller/webhook/mutating.go).
    """
    if not has_pod_addresses(settings):
        return
    for name, gateway in gateways_of(settings).items():
        if gateway.addresses is None and not gateway.host_network:
            yield gateway_name(name), *pods_of_gateway(settings, name)
    for name, gateway in backend_gateways_of(settings).items() if settings.backends is not None else ():
        if gateway.addresses is None:
            namespace = settings.install.envoy_gateway.namespace
            yield backend_gateway_name(name), namespace, proxy_labels(settings, name)
