"""The egress nodes' own network: vSwitches, the way to the NAT gateway, and the addresses that the internet sees."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from components.plan.cloud.traffic import Source, has_pod_addresses, senders
from components.settings import Settings
from components.settings.cloud.addresses import NatAddresses
from components.settings.cloud.firewall import CloudFirewall
from components.settings.cloud.nodes import DedicatedNodes


class Purpose(StrEnum):
    """What a vSwitch is for. Nothing else is in it."""

    NODES = "nodes"
    PODS = "pods"
    NAT_GATEWAY = "nat"
    FIREWALL = "firewall"


@dataclass(frozen=True, kw_only=True)
class VSwitch:
    """A range of the VPC in one zone."""

    name: str
    """Its logical name, `PURPOSE-ZONE`; also what it is called at the cloud, after the cluster's name. The firewall's
    has its range as well: another range is another vSwitch, and the old one stays until the firewall has left it."""
    purpose: Purpose
    zone: str
    cidr: str


@dataclass(frozen=True, kw_only=True)
class RouteTable:
    """A custom route table of the VPC, and the vSwitches that are attached to it."""

    purpose: Literal["egress", "firewall"]
    """`egress`: everything that is not in the VPC goes to the NAT gateway. `firewall`: the firewall's own; no route of
    ours is in it, because the firewall puts its own default route there (Cloud Firewall, CreateSecurityProxy)."""
    name: str
    """Its logical name; also what it is called at the cloud, after the cluster's name."""
    vswitches: tuple[VSwitch, ...]


@dataclass(frozen=True, kw_only=True)
class NatPlan:
    """A NAT gateway and its elastic IP addresses."""

    vswitch: VSwitch
    """Where it stands: on the VPC's own route table."""
    eips: tuple[str, ...]
    """The logical names of the addresses: `eip-1`, ... Going down from the last, so that a number's change keeps the
    others."""
    bandwidth: int
    """Mbit/s of each; of all together where it is shared."""
    shared_bandwidth: bool
    sends: tuple[VSwitch, ...]
    """The vSwitches that leave by it, each with one SNAT entry for all addresses."""


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """What is created of the VPC."""

    vpc: str
    vswitches: tuple[VSwitch, ...]
    """All of them, by name."""
    route_tables: tuple[RouteTable, ...]
    """None without a NAT gateway: everything stays on the VPC's own then."""
    nat: NatPlan | None
    addresses_protected: bool
    """Whether the addresses can be neither deleted nor replaced."""
    gateway_protected: bool
    """The same of the NAT gateway, and of the firewall at it."""


def plan_network(settings: Settings, vpc: str, nodes: DedicatedNodes) -> NetworkPlan:
    """The network of nodes that are created."""
    addresses, firewall = settings.egress.addresses, settings.egress.firewall
    of_nodes, of_pods = tuple(_of_nodes(nodes)), tuple(_of_pods(settings, nodes))
    if not isinstance(addresses, NatAddresses):
        return NetworkPlan(
            vpc=vpc,
            vswitches=(*of_nodes, *of_pods),
            route_tables=(),
            nat=None,
            addresses_protected=False,
            gateway_protected=False,
        )
    gateway = _vswitch(Purpose.NAT_GATEWAY, addresses.zone, addresses.network)
    tables = [RouteTable(purpose="egress", name="egress", vswitches=(*of_nodes, *of_pods))]
    if isinstance(firewall, CloudFirewall):
        own = _of_firewall(addresses.zone, firewall.network)
        tables.append(RouteTable(purpose="firewall", name=own.name, vswitches=(own,)))
    senders_of = {Source.NODES: of_nodes, Source.PODS: of_pods}
    return NetworkPlan(
        vpc=vpc,
        vswitches=tuple(
            sorted((gateway, *(each for table in tables for each in table.vswitches)), key=lambda each: each.name)
        ),
        route_tables=tuple(tables),
        nat=NatPlan(
            vswitch=gateway,
            eips=tuple(f"eip-{number}" for number in range(1, addresses.count + 1)),
            bandwidth=addresses.bandwidth,
            shared_bandwidth=addresses.shared_bandwidth,
            sends=tuple(each for source in sorted(senders(settings)) for each in senders_of[source]),
        ),
        addresses_protected=addresses.protected != "nothing",
        gateway_protected=addresses.protected == "all",
    )


def _of_nodes(nodes: DedicatedNodes) -> Iterator[VSwitch]:
    for zone, ranges in sorted(nodes.zones.items()):
        yield _vswitch(Purpose.NODES, zone, ranges.nodes)


def _of_pods(settings: Settings, nodes: DedicatedNodes) -> Iterator[VSwitch]:
    for zone, ranges in sorted(nodes.zones.items()):
        if ranges.pods is not None and has_pod_addresses(settings):
            yield _vswitch(Purpose.PODS, zone, ranges.pods)


def _of_firewall(zone: str, cidr: str) -> VSwitch:
    name = f"{Purpose.FIREWALL}-{zone}-{cidr.replace('.', '-').replace('/', '-')}"
    return VSwitch(name=name, purpose=Purpose.FIREWALL, zone=zone, cidr=cidr)


def _vswitch(purpose: Purpose, zone: str, cidr: str) -> VSwitch:
    return VSwitch(name=f"{purpose}-{zone}", purpose=purpose, zone=zone, cidr=cidr)
