"""What the security team grants a stack. A stack file can ask; only its approvals file can grant."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from components.settings.problems import shown, wrong
from components.settings.types import (
    Address,
    Answerable,
    Cidr,
    EntryName,
    Host,
    Items,
    KubernetesLabel,
    KubernetesName,
    LabelKey,
    LastDay,
    Model,
    Port,
    Sentence,
)

RuleId = Annotated[str, Field(pattern=r"^EGR[0-9]{3}$")]
_MASTERS = "system:masters"


def _zone(text: str) -> str:
    if "." not in text:
        raise wrong(f"{shown(text)} is a whole top-level domain", f"a zone in it, for example `corp.{text}`")
    return text


Zone = Annotated[Host, AfterValidator(_zone)]
"""A DNS name of at least two labels, and every name under it."""
SocketPath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$", max_length=107)]
"""An absolute path in its one plain form: no `.` or `..`, no empty part (unix(7): 108 bytes with the last NUL)."""


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
    """Lets one Backend of type DynamicResolver exist, for rules that say the one host exactly (EGR115)."""

    namespace: KubernetesLabel
    """The Backend's namespace."""
    name: KubernetesName
    """The Backend's name."""


class PrivateName(Approval):
    """Lets names stand in a top-level domain that the public DNS does not have, such as `.internal`."""

    suffixes: Items[Zone]
    """The zones, at least two labels each: `corp.internal` covers itself and every name under it."""


class UnixSocket(Approval):
    """Lets Envoy itself connect to a socket in its own pod, such as an external processor's; no route may (EGR116)."""

    paths: Items[SocketPath]
    """The sockets, by their exact path. Those of container runtimes, kubelet and mesh agents cannot be approved."""


class OfferedName(Approval):
    """Lets backends be offered under names: in every client namespace a backend takes such a name over."""

    zones: Items[Zone]
    """The zones, at least two labels each: `corp.example.com` covers itself and every name under it."""


class ExposedGateway(Approval):
    """Lets a Gateway of backends be reached from outside the cluster, by a load balancer."""

    exposure: Literal["intranet", "internet"]
    """The most that it may be. `internet` covers `intranet`."""
    source_ranges: Items[Cidr]
    """From where it may be reached; what the Gateway says is within these."""
    annotations: dict[LabelKey, Sentence] = Field(default_factory=dict[str, Sentence])
    """Annotations that its Service may have, each with this value: some lead to another load balancer, or open it
    wider than `exposure` says."""


class BackendApi(Approval):
    """Lets Envoy Gateway's Backend API be on: whoever may write a Backend picks where traffic goes."""


class PlatformSubject(Approval):
    """Somebody who may write what opens the cluster: Backends, EnvoyProxies, ServiceEntries, EndpointSlices..."""

    kind: Literal["User", "Group", "ServiceAccount"]
    """As in an RBAC subject."""
    namespace: KubernetesLabel | None = None
    """Of a ServiceAccount, and only of one."""
    name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^\s*]+$")]
    """The subject's name, whole. What Kubernetes itself calls callers (`system:authenticated`) cannot be named, but
    for the Group `system:masters`."""

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if (self.kind == "ServiceAccount") != (self.namespace is not None):
            raise wrong(
                "`namespace` is for a ServiceAccount, and needed there", "`kind: ServiceAccount` with a namespace"
            )
        if self.kind != "ServiceAccount" and self.name.startswith("system:") and self.name != _MASTERS:
            raise wrong(
                f"{self.name} is given by Kubernetes itself, to callers whom nobody decided about",
                f"a user or group of yours, a ServiceAccount by its namespace and name, or the Group {_MASTERS}",
            )
        return self


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
    expires: LastDay
    """The last day on which it holds, in quotes: "2027-06-30". An exception that is over excuses nothing, and is a
    violation itself (EGR003)."""


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
    private_names: dict[EntryName, PrivateName] = Field(default_factory=dict[str, PrivateName])
    """Zones of private names that may be reached, by a name of your choice."""
    unix_sockets: dict[EntryName, UnixSocket] = Field(default_factory=dict[str, UnixSocket])
    """Unix sockets that Envoy may connect to, by a name of your choice."""
    offered_names: dict[EntryName, OfferedName] = Field(default_factory=dict[str, OfferedName])
    """Zones in which backends may be offered, by a name of your choice; needed where backends have hostnames."""
    exposed_gateways: dict[EntryName, ExposedGateway] = Field(default_factory=dict[str, ExposedGateway])
    """Gateways of backends that may be reached from outside the cluster, by the Gateway's name."""
    backend_api: BackendApi | None = None
    """That Envoy Gateway's Backend API may be on; needed where a backend is more than a Service in the cluster."""
    platform_subjects: dict[EntryName, PlatformSubject] = Field(default_factory=dict[str, PlatformSubject])
    """Who may write what opens the cluster, by a name of your choice; needed where backends are declared."""
    raised_rules: Items[RuleId] | None = None
    """Rules that block in this stack although they would only warn. There is no way to lower one."""
    exceptions: dict[EntryName, RuleException] = Field(default_factory=dict[str, RuleException])
    """Objects that are excused from a rule, by a name of your choice."""
