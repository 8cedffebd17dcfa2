"""The way out: nodes, source addresses, gateways and the mesh that leads to them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.cloud.addresses import Addresses, ExistingAddresses
from components.settings.cloud.firewall import Firewall
from components.settings.cloud.nodes import ExistingNodes, Nodes
from components.settings.mesh import Alerts, Asm, Authorizer, Issuer, Tracing
from components.settings.problems import wrong
from components.settings.types import (
    Entries,
    EntryName,
    Host,
    KubernetesLabel,
    Model,
)

GatewayName = Annotated[EntryName, Field(max_length=38)]
"""The name of a gateway: with `egress-gateway-` before it a Helm release's, of at most 53 characters."""


class Autoscaling(Model):
    """Pods by load, instead of a fixed number. Needs the metrics server."""

    min_replicas: Annotated[int, Field(ge=2, le=50)] = 2
    """Pods at least; two, so that one zone can fail."""
    max_replicas: Annotated[int, Field(ge=2, le=200)]
    """Pods at most."""
    cpu_percent: Annotated[int, Field(ge=10, le=95)] = 70
    """The load of requested CPU, in percent, around which pods come and go."""

    @model_validator(mode="after")
    def _is_a_range(self) -> "Autoscaling":
        if self.max_replicas < self.min_replicas:
            raise wrong(
                f"at most {self.max_replicas} pods, and at least {self.min_replicas}", "`maxReplicas` not below it"
            )
        return self


class FurtherGateway(Model):
    """A Deployment through which destinations leave that name it."""

    replicas: Annotated[int, Field(ge=2, le=50)] = 2
    """Pods, spread over zones. At least two, so that one zone can fail."""
    autoscaling: Autoscaling | None = None
    """Pods by load; `replicas` is then left out."""
    nodes: ExistingNodes | None = None
    """Nodes of its own. Without them: egress.nodes."""
    addresses: ExistingAddresses | None = None
    """What the outside sees as its source. Without them: egress.addresses."""
    drain_seconds: Annotated[int, Field(ge=5, le=3600)] = 30
    """How long a pod that goes lets its connections come to an end."""
    host_network: bool = False
    """Its pods use their node's network and address. NetworkPolicy does not see them then: their node's security
    group has to keep others away."""

    @model_validator(mode="after")
    def _one_number(self) -> "FurtherGateway":
        if self.autoscaling is not None and "replicas" in self.model_fields_set:
            raise wrong("has a fixed number of pods, and `autoscaling`", "one of them")
        return self


class EgressGateway(FurtherGateway):
    """The Deployment through which everything leaves that names no other."""

    namespace: KubernetesLabel = "istio-egress"
    """The namespace of all egress gateways; ours, so created and deleted with the stack."""


class Mesh(Model):
    """How destinations become routes."""

    flavour: Literal["istio-api", "gateway-api", "asm"]
    """`istio-api`: ServiceEntry, Gateway, VirtualService, DestinationRule. `gateway-api`: Gateway API routes instead
    of VirtualServices. `asm`: Alibaba Cloud's managed mesh, its own egress objects instead of our install."""
    data_plane: Literal["sidecar", "ambient"] = "sidecar"
    """`sidecar`: a proxy in each client's pod. `ambient`: ztunnel on each node, and waypoints as egress gateways; with
    `flavour: istio-api` only, and not shown by traffic (docs/ambient.md)."""
    trust_domain: Host = "cluster.local"
    """The trust domain in the clients' certificates."""
    gateway: EgressGateway = Field(default_factory=EgressGateway)
    """The egress gateway."""
    gateways: Annotated[dict[GatewayName, FurtherGateway], Field(min_length=1)] | None = None
    """Further egress gateways, by name, for destinations that name one."""
    asm: Asm | None = None
    """Where the managed mesh is. Needed by the flavour `asm`, and only there."""
    issuers: Entries[Issuer] | None = None
    """Who signs tokens that destinations may ask for, by name."""
    authorizers: Entries[Authorizer] | None = None
    """External authorizers that destinations may name, by name."""
    tracing: Tracing | None = None
    """Where traces of egress go. Without it there are none."""
    alerts: Alerts | None = None
    """Alert rules for Prometheus' operator. Without it there are none."""

    @model_validator(mode="after")
    def _issuers_are_told_apart(self) -> "Mesh":
        """Istio knows an issuer by `iss` alone: with two of one, either's keys would do for the other."""
        first: dict[str, str] = {}
        for name, each in (self.issuers or {}).items():
            if first.setdefault(each.issuer, name) != name:
                raise wrong(
                    f"issuers.{name} has the same `issuer` as issuers.{first[each.issuer]}, so that tokens of one "
                    "would do for the other",
                    "one entry with the audiences and keys of both",
                )
        return self

    @model_validator(mode="after")
    def _asm_where_it_belongs(self) -> "Mesh":
        if (self.flavour == "asm") != (self.asm is not None):
            raise wrong(
                "the flavour `asm` and the key `asm` go together",
                "`flavour: asm` with `asm: {context: ...}`, or neither",
            )
        return self


class Egress(Model):
    """The way out, from node to mesh."""

    posture: Literal["observe", "enforce"]
    """`observe`: nothing is cut, everything is logged. `enforce`: what is not declared is refused, in every layer."""
    nodes: Nodes
    """Where the egress gateway runs."""
    addresses: Addresses
    """What the outside sees as the source."""
    firewall: Firewall | None = None
    """The firewall between the nodes and the internet. Needed by `addresses.mode: nat`."""
    mesh: Mesh
    """The mesh flavour and its gateway."""
