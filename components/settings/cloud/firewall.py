"""The firewall between the egress nodes and the internet."""

from typing import Annotated, Literal

from pydantic import Field

from components.settings.types import Cidr, Model


class ExternalFirewall(Model):
    """Another vendor's firewall, or none: nothing is created, and the hand-off says what it has to allow."""

    mode: Literal["external"]
    """It is somewhere else."""


class CloudFirewall(Model):
    """Alibaba Cloud's Cloud Firewall at the NAT gateway: it lets pass what is declared, and nothing else.

    The subscription is there already: nothing here buys one.
    """

    mode: Literal["cloud-firewall"]
    """Address books, policies and the NAT firewall are created."""
    network: Cidr
    """The range of the firewall's own vSwitch in the zone of the NAT gateway; nothing else is in it. /28 or larger."""
    internet_boundary: bool = False
    """Have the same once more at the internet boundary, where the addresses themselves are seen."""
    propagation_seconds: Annotated[int, Field(ge=0, le=1800)] = 180
    """How long a change takes to reach the firewall's engines (alibabacloud.com, "Overview of access control
    policies": about three minutes). Nodes wait for it."""


Firewall = Annotated[ExternalFirewall | CloudFirewall, Field(discriminator="mode")]
