"""What the security team grants a stack. A stack file can ask; only its approvals file can grant."""

from typing import Annotated, Literal

from pydantic import Field

from components.settings.models import Answerable
from components.settings.types import (
    Address,
    Cidr,
    EntryName,
    Host,
    Items,
    KubernetesLabel,
    KubernetesName,
    Model,
    Port,
    Sentence,
)

RuleId = Annotated[str, Field(pattern=r"^EGR\d{3}$")]


class ClusterRanges(Model):
    """The cluster's own addresses: never a destination, never a backend."""

    domain: Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$")] = "cluster.local"
    """The cluster's DNS domain."""
    pod_cidrs: Items[Cidr]
    """Where pods get their addresses."""
    service_cidrs: Items[Cidr]
    """Where Services get their addresses."""
    node_cidrs: Items[Cidr]
    """Where nodes stand."""
    api_server_addresses: Items[Address]
    """Where the API server answers, behind the Service `kubernetes`: client namespaces may reach it."""
    api_server_port: Port = 6443
    """The port there."""


class Approval(Answerable):
    """Something granted: by whom, on what ticket, why, until when."""

    reason: Sentence
    """Why it is granted."""


class PublicRange(Approval):
    """Lets the entry of the same name reach any public address on some ports: its addresses move."""

    hosts: Items[Host]
    """The entry's hosts, and no others."""
    ports: Items[Port]
    """The ports, and no others."""


class PrivateRange(Approval):
    """Lets entries stand in private address space."""

    entries: Items[EntryName]
    """The destinations and backends, by name, and no others."""
    cidrs: Items[Cidr]
    """The ranges, as narrow as can be."""
    ports: Items[Port]
    """The ports, and no others."""


class ChartSource(Approval):
    """Lets charts or images come from elsewhere than their publishers: whoever writes a chart can do anything."""

    sources: Items[Sentence]
    """The values that `install` may have: a chart's address or folder, or a registry."""


class DynamicResolver(Approval):
    """Lets one Backend of type DynamicResolver exist."""

    namespace: KubernetesLabel
    """The Backend's namespace."""
    name: KubernetesName
    """The Backend's name."""


class RuleException(Approval):
    """Excuses one object from one rule."""

    rule: RuleId
    """The rule, for example EGR105."""
    kind: Sentence
    """The object's kind."""
    namespace: KubernetesLabel | None = None
    """The object's namespace, if it has one."""
    name: KubernetesName
    """The object's name."""


class Approvals(Model):
    """Everything that is granted to one stack."""

    version: Literal[1]
    """The version of this file's form."""
    cluster: ClusterRanges
    """The cluster's own addresses and names."""
    public_ranges: dict[EntryName, PublicRange] = Field(default_factory=dict[str, PublicRange])
    """Entries that may reach any public address, by the entry's name."""
    private_ranges: dict[EntryName, PrivateRange] = Field(default_factory=dict[str, PrivateRange])
    """Private ranges that may be reached, by a name of your choice."""
    chart_sources: dict[EntryName, ChartSource] = Field(default_factory=dict[str, ChartSource])
    """Other places for charts and images, by a name of your choice."""
    dynamic_resolvers: dict[EntryName, DynamicResolver] = Field(default_factory=dict[str, DynamicResolver])
    """Backends of type DynamicResolver that may exist, by a name of your choice."""
    exceptions: dict[EntryName, RuleException] = Field(default_factory=dict[str, RuleException])
    """Objects that are excused from a rule, by a name of your choice."""
