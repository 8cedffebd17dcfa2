"""The egress nodes' own network: vSwitches, the way to the NAT gateway, and the addresses that the internet sees."""

from dataclasses import dataclass
from enum import StrEnum


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
    """Its logical name, `PURPOSE-ZONE`; also what it is called at the cloud, after the cluster's name."""
    purpose: Purpose
    zone: str
    cidr: str


@dataclass(frozen=True, kw_only=True)
class NatPlan:
    """A NAT gateway and its elastic IP addresses."""

    vswitch: VSwitch
    """Where it stands."""
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
    nat: NatPlan | None
    protected: bool
    """Whether addresses and gateway can be neither deleted nor replaced."""
