"""As what the outside sees everything that leaves: addresses that stay when a gateway or a node goes."""

from typing import Annotated, Final, Literal

from pydantic import Field

from components.settings.cloud.account import ZoneId
from components.settings.types import Cidr, Items, Model

MOST_OF_ONE_ADDRESS: Final = 200
"""Mbit/s of an address that is paid by traffic (Elastic IP Address, AllocateEipAddress)."""


class ExistingAddresses(Model):
    """Source addresses that are fixed already."""

    mode: Literal["existing"]
    """The addresses are there; nothing is created."""
    cidrs: Items[Cidr]
    """What a firewall outside sees as the source: single addresses are written as /32."""


class NatAddresses(Model):
    """Elastic IP addresses on a NAT gateway of the egress nodes' own: what the internet sees."""

    mode: Literal["nat"]
    """A NAT gateway and its addresses are created."""
    count: Annotated[int, Field(ge=1, le=20)] = 2
    """How many addresses. They are shared by all connections; one holds 55,000 to one place outside."""
    bandwidth: Annotated[int, Field(ge=1, le=1000)]
    """The most that each address may send, in Mbit/s, 200 at most; with `sharedBandwidth`, all of them together."""
    shared_bandwidth: bool = False
    """Have all addresses share one bandwidth package."""
    zone: ZoneId
    """The zone of the NAT gateway's vSwitch. It serves the other zones as well, also when this one fails."""
    network: Cidr
    """The range of that vSwitch, which is created; nothing else is in it. /28 is enough."""
    protected: Literal["all", "addresses", "nothing"] = "all"
    """What can be neither deleted nor replaced: addresses, NAT gateway and firewall; the addresses alone, for another
    gateway or firewall under them; nothing, to be rid of them all."""


class PodAddresses(Model):
    """The ranges of the gateways' pods, with `podNetwork: terway`: what networks connected to the VPC see."""

    mode: Literal["pod-vswitches"]
    """The gateways' pods get vSwitches of their own."""


class NodeAddresses(Model):
    """The ranges of the egress nodes: what networks connected to the VPC see, from gateways on their nodes' network."""

    mode: Literal["host-network"]
    """Every gateway has `hostNetwork`."""


Addresses = Annotated[ExistingAddresses | NatAddresses | PodAddresses | NodeAddresses, Field(discriminator="mode")]
