"""The egress nodes: a pool that is created for the gateways, or nodes that are there already."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from components.settings.cloud.account import ZoneId
from components.settings.problems import wrong
from components.settings.types import Answerable, Cidr, Entries, Host, Items, LabelKey, LabelValue, Model, Port

_KEY: Final = "cluster-egress/egress"
LEAST_ZONES: Final = 2
MOST_ZONES: Final = 8
MOST_TYPES: Final = 10
"""vSwitches and instance types of a pool (Container Service, CreateClusterNodePool)."""


class Taint(Model):
    """A taint that the egress nodes carry, and that the gateway tolerates."""

    value: LabelValue | None = None
    """The taint's value; without it the gateway tolerates any."""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule"]
    """What the taint does to pods that do not tolerate it."""


class ChosenNodes(Model):
    """Where gateways run, and nothing else should."""

    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]
    """The labels by which a gateway finds them."""
    taints: Annotated[dict[LabelKey, Taint], Field(min_length=1)]
    """The taints that keep other pods away, by key."""


class ExistingNodes(ChosenNodes):
    """Egress nodes that exist already."""

    mode: Literal["existing"]
    """The nodes are there; nothing is created."""


class NodeZone(Model):
    """The vSwitches of the egress nodes in one zone; they are created, and nothing else is in them."""

    nodes: Cidr
    """The range of the nodes' vSwitch."""
    pods: Cidr | None = None
    """The range of the gateways' pods. Needed with `podNetwork: terway`, and there only; not with addresses of the mode
    `host-network`."""


class NodeAutoscaling(Model):
    """Nodes by load, instead of a fixed number."""

    min: Annotated[int, Field(ge=2, le=100)]
    """Nodes at least; two, so that one zone can fail."""
    max: Annotated[int, Field(ge=2, le=1000)]
    """Nodes at most."""

    @model_validator(mode="after")
    def _is_a_range(self) -> "NodeAutoscaling":
        if self.max < self.min:
            raise wrong(f"at most {self.max} nodes, and at least {self.min}", "`max` not below it")
        return self


class NodeDisk(Model):
    """A node's system disk: an ESSD, always encrypted."""

    gib: Annotated[int, Field(ge=40, le=2048)] = 120
    """Its size in GiB."""
    kms_key: Annotated[str, Field(pattern=r"^(key-)?[A-Za-z0-9-]{8,64}$")] | None = None
    """The KMS key that encrypts it. Without it: the service's own key."""


class NodeFetch(Answerable):
    """What the nodes themselves reach outside, for example a registry of images that is not in the VPC."""

    hosts: Items[Host]
    """Names."""
    port: Port = 443
    """The port; spoken is TLS."""
    cidrs: Items[Cidr] | None = None
    """The addresses behind the names. Without them, `publicRanges` must approve the entry; what is in private address
    space needs them."""


def _survive_one(zones: dict[str, NodeZone]) -> dict[str, NodeZone]:
    if len(zones) < LEAST_ZONES:
        raise wrong("is one zone, and with it everything would fail", "at least two")
    if len(zones) > MOST_ZONES:
        raise wrong(f"are {len(zones)} zones, and a pool takes the vSwitches of {MOST_ZONES}", "fewer")
    return zones


def _few_enough(types: tuple[str, ...]) -> tuple[str, ...]:
    if len(types) > MOST_TYPES:
        raise wrong(f"are {len(types)} types, and a pool takes {MOST_TYPES}", "fewer")
    return types


def _keep_others_away(taints: dict[str, Taint]) -> dict[str, Taint]:
    for key, taint in taints.items():
        if taint.value is None:
            raise wrong(f"{key} has no value to give to the nodes", '`value`, for example "true"')
    if all(taint.effect == "PreferNoSchedule" for taint in taints.values()):
        raise wrong("keep no pod away for certain", "`effect: NoSchedule`")
    return taints


class DedicatedNodes(ChosenNodes):
    """A node pool that is created for the gateways, in vSwitches and a security group of its own."""

    mode: Literal["dedicated"]
    """The pool is created."""
    zones: Annotated[dict[ZoneId, NodeZone], Field(min_length=1), AfterValidator(_survive_one)]
    """Its zones, two at least and eight at most, by id."""
    instance_types: Annotated[Items[Annotated[str, Field(pattern=r"^ecs\.[a-z0-9.-]+$")]], AfterValidator(_few_enough)]
    """What nodes may be, the first choice first; ten at most."""
    count: Annotated[int, Field(ge=2, le=1000)] | None = None
    """How many there are, over all zones."""
    autoscaling: NodeAutoscaling | None = None
    """Nodes by load; `count` is then left out."""
    image: Literal["AliyunLinux3", "AliyunLinux3ContainerOptimized"] = "AliyunLinux3"
    """Their operating system."""
    disk: NodeDisk = Field(default_factory=NodeDisk)
    """Their system disk."""
    labels: Annotated[dict[LabelKey, LabelValue], Field(min_length=1)] = Field(default_factory=lambda: {_KEY: "true"})
    """The labels that they get, and by which the gateways find them."""
    taints: Annotated[dict[LabelKey, Taint], Field(min_length=1), AfterValidator(_keep_others_away)] = Field(
        default_factory=lambda: {_KEY: Taint(value="true", effect="NoSchedule")}
    )
    """The taints that they get, by key."""
    fetches: Entries[NodeFetch] | None = None
    """What the nodes themselves reach outside, by name. Without it: nothing."""

    @model_validator(mode="after")
    def _has_a_number(self) -> "DedicatedNodes":
        if (self.count is None) == (self.autoscaling is None):
            raise wrong("has no number of nodes, or two", "`count`, or `autoscaling`")
        least = self.count if self.autoscaling is None else self.autoscaling.min
        if least is not None and least < len(self.zones):
            raise wrong(f"has {least} nodes for {len(self.zones)} zones", "at least one for each zone")
        return self


Nodes = Annotated[ExistingNodes | DedicatedNodes, Field(discriminator="mode")]
