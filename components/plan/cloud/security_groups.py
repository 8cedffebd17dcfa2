"""Security groups of the egress nodes and of the gateways' pods: who reaches them, and what they reach.

They are of the advanced kind (`enterprise`), in which what no rule accepts is dropped, both ways, and within the group
as well. What a node needs at least: Container Service, "Configure security group rules". A declared name may be at any
public address, so its port is open to everywhere, but not to the networks around the VPC.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from components.plan.cloud.network import NetworkPlan, Purpose
from components.plan.cloud.traffic import Source, has_pod_addresses, openings
from components.plan.offers.listeners import gateways_of, listeners_of
from components.settings import Settings
from policy.approvals import Approvals
from policy.facts.special_ranges import SPECIAL_RANGES, AddressClass

Direction = Literal["ingress", "egress"]
Action = Literal["accept", "drop"]
Protocol = Literal["tcp", "udp", "icmp", "all"]

ALL_PORTS: Final = "-1/-1"
ANYWHERE: Final = "0.0.0.0/0"
CLOUD_SERVICES: Final = "100.64.0.0/10"
"""Where nodes find DNS, metadata and the cloud's own services, and from where load balancers ask whether all is well
(Container Service, "Configure security group rules"; "CLB Health Check FAQ")."""
_NODE_PORTS: Final = "30000/32767"
"""Where a load balancer finds a Service on nodes (kubernetes.io, "Service": the API server's default)."""
_HTTPS: Final = 443
_NEIGHBOURS: Final = (AddressClass.PRIVATE, AddressClass.SHARED, AddressClass.LINK_LOCAL)
"""What a VPC may route to others."""

_KNOWN: Final = 10
_NEIGHBOUR: Final = 20
_NAMES: Final = 30
_EVERYTHING_ELSE: Final = 100
"""Priorities: the lowest that fits decides."""


@dataclass(frozen=True, kw_only=True)
class SecurityGroupRule:
    """A rule of a security group of the advanced kind."""

    name: str
    """Its logical name in the group: what it says, so that a change of it is another rule."""
    direction: Direction
    policy: Action
    protocol: Protocol
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
    """Sorted by name, but for the last: it is for everything that leaves and that no other rule is about."""


def security_groups(settings: Settings, approvals: Approvals, network: NetworkPlan) -> tuple[SecurityGroup, ...]:
    """The nodes' group; with pods that have vSwitches of their own, theirs as well."""
    groups = [_group("nodes", settings, approvals, network)]
    if has_pod_addresses(settings) and any(each.purpose is Purpose.PODS for each in network.vswitches):
        groups.append(_group("pods", settings, approvals, network))
    return tuple(groups)


def _group(
    name: Literal["nodes", "pods"], settings: Settings, approvals: Approvals, network: NetworkPlan
) -> SecurityGroup:
    source, enforced = Source(name), settings.egress.posture == "enforce"
    rules = [
        *_in_cluster(approvals, network),
        *_api_server(approvals),
        *_declared(settings, source, enforced=enforced),
        *(_callers(settings, source)),
    ]
    if source is Source.NODES:
        rules.append(_rule("egress", "all", ALL_PORTS, CLOUD_SERVICES, "the cloud's services, DNS, metadata"))
    last = _rule(
        "egress",
        "all",
        ALL_PORTS,
        ANYWHERE,
        "everything else",
        policy="drop" if enforced else "accept",
        priority=_EVERYTHING_ELSE,
    )
    return SecurityGroup(
        name=name, rules=(*(rule for _, rule in sorted({each.name: each for each in rules}.items())), last)
    )


def _in_cluster(approvals: Approvals, network: NetworkPlan) -> Iterator[SecurityGroupRule]:
    """In-cluster traffic is not ours to cut. Answers need no rule."""
    own = [each.cidr for each in network.vswitches if each.purpose in (Purpose.NODES, Purpose.PODS)]
    for cidr in _widest([*approvals.cluster.node_cidrs, *approvals.cluster.pod_cidrs, *own]):
        for direction in ("ingress", "egress"):
            yield _rule(direction, "all", ALL_PORTS, cidr, "in the cluster")


def _api_server(approvals: Approvals) -> Iterator[SecurityGroupRule]:
    for address in _widest(approvals.cluster.api_server_addresses):
        yield _rule("ingress", "all", ALL_PORTS, address, "the API server, to kubelets and webhooks")
        for port in sorted({_HTTPS, approvals.cluster.api_server_port}):
            yield _rule("egress", "tcp", f"{port}/{port}", address, "the API server")


def _declared(settings: Settings, source: Source, *, enforced: bool) -> Iterator[SecurityGroupRule]:
    to_names = False
    for opening in openings(settings):
        if opening.source is source and opening.cidr is not None:
            yield _rule("egress", "tcp", f"{opening.port}/{opening.port}", opening.cidr, "declared")
        elif opening.source is source:
            to_names = True
            ports = f"{opening.port}/{opening.port}"
            yield _rule("egress", "tcp", ports, ANYWHERE, "declared by name", priority=_NAMES)
    if to_names and enforced:
        for cidr in _widest(str(each.network) for each in SPECIAL_RANGES if each.address_class in _NEIGHBOURS):
            yield _rule("egress", "all", ALL_PORTS, cidr, "no name", policy="drop", priority=_NEIGHBOUR)


def _callers(settings: Settings, source: Source) -> Iterator[SecurityGroupRule]:
    """Who calls backends from outside the cluster, by a load balancer that keeps callers' addresses."""
    if settings.backends is None:
        return
    for name, gateway in gateways_of(settings).items():
        if gateway.source_ranges is None or gateway.nodes != "egress":
            continue
        ports = [_NODE_PORTS]
        if source is Source.PODS:
            ports = [f"{port}/{port}" for port in sorted({each.pod_port for each in listeners_of(settings, name)})]
        for cidr in _widest((*gateway.source_ranges, CLOUD_SERVICES)):
            for each in ports:
                yield _rule("ingress", "tcp", each, cidr, "callers of backends")


def _widest(ranges: Iterable[str]) -> list[str]:
    """The ranges of IPv4, sorted, each once, and none that is within another."""
    networks = [ipaddress.ip_network(each) for each in ranges]
    v4 = sorted({each for each in networks if isinstance(each, ipaddress.IPv4Network)})
    return [str(each) for each in v4 if not any(each != other and each.subnet_of(other) for other in v4)]


def _rule(
    direction: Direction,
    protocol: Protocol,
    ports: str,
    cidr: str,
    description: str,
    *,
    policy: Action = "accept",
    priority: int = _KNOWN,
) -> SecurityGroupRule:
    said = [direction, policy, protocol, *([] if ports == ALL_PORTS else [ports]), cidr]
    return SecurityGroupRule(
        name="-".join(said).replace("/", "-"),
        direction=direction,
        policy=policy,
        protocol=protocol,
        ports=ports,
        cidr=cidr,
        priority=priority,
        description=description,
    )
