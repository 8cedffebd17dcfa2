"""Where on Alibaba Cloud the cluster stands, and how much of everything the account may have."""

from typing import Annotated, Literal

from pydantic import Field

from components.settings.cloud.limits import Limits
from components.settings.types import Model

Region = Annotated[str, Field(pattern=r"^[a-z]{2,}-[a-z]+(-[a-z0-9]+)*$")]
"""A region's id: `cn-hangzhou`."""
ZoneId = Annotated[str, Field(pattern=r"^[a-z]{2,}-[a-z]+(-[a-z0-9]+)*-?[a-z]$")]
"""A zone's id: its region's, and a letter: `cn-hangzhou-h`, `ap-southeast-1a` (ECS, "Regions and zones")."""
AccountId = Annotated[str, Field(pattern=r"^[0-9]{5,20}$")]
"""An account's id, in quotes, because it is a number of sixteen digits."""
VpcId = Annotated[str, Field(pattern=r"^vpc-[a-z0-9]+$")]
ClusterId = Annotated[str, Field(pattern=r"^c[a-z0-9]{32}$")]
RoleArn = Annotated[str, Field(pattern=r"^acs:ram::[0-9]{5,20}:role/[A-Za-z0-9._-]{1,64}$")]


class Cloud(Model):
    """The account, the network and the cluster in it. Needed wherever something is created there.

    Credentials are no settings: they come from the environment of whoever runs this (docs/cloud-credentials.md).
    """

    region: Region
    """The region, for example `cn-hangzhou`."""
    account: AccountId
    """The account's id, in quotes."""
    site: Literal["Domestic", "International"] = "Domestic"
    """Where the account was opened: aliyun.com, or alibabacloud.com."""
    role: RoleArn | None = None
    """A RAM role to take on. Without it: the credentials' own rights."""
    vpc: VpcId
    """The VPC that the cluster's nodes are in."""
    cluster: ClusterId
    """The id of the ACK cluster."""
    pod_network: Literal["flannel", "terway"]
    """The cluster's network plugin. `flannel`: pods leave with their node's address; the cluster's cloud controller
    manager then has to be told of the route tables that are created (Container Service, "Configure multiple route
    tables for a VPC"). `terway`: with one of their own, so the gateways' pods get vSwitches of their own."""
    limits: Limits = Field(default_factory=Limits)
    """How much the account may have of what is created."""
