"""The egress nodes: a pool with taints, and security groups that say what its nodes and pods reach."""

from dataclasses import dataclass
from typing import Literal

from components.plan.cloud.network import VSwitch
from components.settings.cloud.nodes import Taint


@dataclass(frozen=True, kw_only=True)
class SecurityGroupRule:
    """A rule of a security group of the advanced kind, in which what no rule accepts is dropped."""

    name: str
    """Its logical name in the group: what it says, so that a change of it is another rule."""
    direction: Literal["ingress", "egress"]
    policy: Literal["accept", "drop"]
    protocol: Literal["tcp", "udp", "icmp", "all"]
    ports: str
    """`443/443`; `-1/-1` for all, with `icmp` and `all` only."""
    cidr: str
    """Who calls, or who is called."""
    priority: int
    """1 to 100; the lowest that fits decides, and of two alike `drop`."""
    description: str


@dataclass(frozen=True, kw_only=True)
class SecurityGroup:
    """Who reaches nodes or pods, and what they reach."""

    name: Literal["nodes", "pods"]
    rules: tuple[SecurityGroupRule, ...]


@dataclass(frozen=True, kw_only=True)
class PodNetworkingPlan:
    """Which pods get addresses of the vSwitches of their own (Terway's PodNetworking, network.alibabacloud.com/v1beta1)."""

    name: str
    namespaces: tuple[str, ...]
    """The gateways' namespaces, each by its label `kubernetes.io/metadata.name`."""
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
    pod_networking: PodNetworkingPlan | None
