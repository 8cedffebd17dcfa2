"""The Gateways through which callers reach backends: where they stand, and who reaches them."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from components.settings.cloud.addresses import ExistingAddresses
from components.settings.cloud.nodes import ExistingNodes
from components.settings.destinations import Count
from components.settings.egress import Autoscaling
from components.settings.install import Source
from components.settings.offers.backends import TlsVersion
from components.settings.plain import is_map
from components.settings.problems import wrong
from components.settings.types import (
    Cidr,
    Entries,
    EntryName,
    Items,
    LabelKey,
    Model,
    Port,
    Sentence,
    ServicePort,
)


class Helper(Model):
    """A container beside each proxy, which it reaches by a Unix socket in a folder that only the two share.

    The socket is `/var/run/cluster-egress/NAME/socket`, with the helper's name, and approved under `unixSockets`.
    """

    image: Source
    """Its image, approved under `chartSources`."""
    arguments: Items[Sentence] | None = None
    """Its arguments."""


class LogCollector(ServicePort):
    """An OpenTelemetry collector in the cluster, for access logs."""

    port: Port = 4317
    """The Service's port; OTLP over gRPC."""


class AccessLog(Model):
    """Where access logs go, as JSON. At least one place."""

    stdout: bool = True
    """The proxies' standard output."""
    collector: LogCollector | None = None
    """An OpenTelemetry collector."""
    socket: EntryName | None = None
    """A helper, by name, that takes Envoy's own access log protocol."""

    @model_validator(mode="after")
    def _goes_somewhere(self) -> "AccessLog":
        if not self.stdout and self.collector is None and self.socket is None:
            raise wrong("goes nowhere", "`stdout: true`, `collector` or `socket`")
        return self


def _kind_of_nodes(nodes: Any) -> str:
    """Which of the two is meant, so that one slip is not told twice."""
    return "described" if is_map(nodes) or isinstance(nodes, ExistingNodes) else "named"


ProxyNodes = Annotated[
    Annotated[ExistingNodes, Tag("described")] | Annotated[Literal["egress", "any"], Tag("named")],
    Discriminator(_kind_of_nodes),
]


class BackendGateway(Model):
    """A Gateway with proxies of its own, of a class of its own."""

    exposure: Literal["inside", "intranet", "internet"] = "inside"
    """Who reaches it. `inside`: the cluster. `intranet`: the VPC and what is connected to it, by an internal load
    balancer. `internet`: anybody whom `sourceRanges` let, by a public one. All but `inside` are approved under
    `exposedGateways`."""
    source_ranges: Items[Cidr] | None = None
    """From where the load balancer takes connections. Needed by all but `inside`."""
    load_balancer: Annotated[dict[LabelKey, Sentence], Field(min_length=1)] | None = None
    """More annotations of its Service, for example the id of a load balancer that is there already."""
    nodes: ProxyNodes = "egress"
    """Where its proxies run. `egress`: on egress.nodes. `any`: on any node."""
    addresses: ExistingAddresses | None = None
    """What the outside sees as the source. Without them: egress.addresses. Needed where `nodes` are not `egress`."""
    replicas: Annotated[int, Field(ge=2, le=50)] = 2
    """Proxies, spread over zones. At least two, so that one zone can fail."""
    autoscaling: Autoscaling | None = None
    """Proxies by load; `replicas` is then left out."""
    drain_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    """How long a proxy that goes lets its connections come to an end."""
    in_mesh: bool = False
    """Give its proxies a sidecar, so that Services with STRICT mTLS answer them. The sidecar sees only what stays in
    the cluster."""
    min_tls_version: TlsVersion = "1.2"
    """The oldest TLS that callers may speak, where it ends here."""
    trusted_proxies: Items[Cidr] | None = None
    """Proxies before the Gateway, whose `X-Forwarded-For` is believed. Without them: the address that connects."""
    max_connections: Count | None = None
    """Open connections for each proxy and port, with TLS for each hostname; more are closed."""
    helpers: Entries[Helper] | None = None
    """Containers beside each proxy, by name."""
    access_log: AccessLog = Field(default_factory=AccessLog)
    """Where access logs go."""

    @model_validator(mode="after")
    def _one_number(self) -> "BackendGateway":
        if self.autoscaling is not None and "replicas" in self.model_fields_set:
            raise wrong("has a fixed number of pods, and `autoscaling`", "one of them")
        return self

    @model_validator(mode="after")
    def _says_who_reaches_it(self) -> "BackendGateway":
        if self.exposure == "inside":
            for key, value in (("sourceRanges", self.source_ranges), ("loadBalancer", self.load_balancer)):
                if value is not None:
                    raise wrong(f"`{key}` is about a load balancer, and inside there is none", "leave it out")
        elif self.source_ranges is None:
            raise wrong("is reached from nobody said where", "`sourceRanges`: the addresses of its callers")
        return self

    @model_validator(mode="after")
    def _says_its_source(self) -> "BackendGateway":
        if self.nodes != "egress" and self.addresses is None:
            raise wrong(
                "has nodes of its own, whose address outside nobody said",
                "`addresses`, or leave `nodes` out",
            )
        return self
