"""The fields of ASM's two kinds, as strictly as they are known: unknown fields, and limits passed, are failures.

Source: the Go types of both kinds in Alibaba's public client (`EgressTrafficPolicySpec`, `IstioGatewaySpec`, with the
markers from which their CRDs are made), and "ASMEgressTrafficPolicy CRD description" and "ASM gateway CRD reference"
for names and namespaces. Of the gateway: those fields that a plan may use. The protocols are those that the Go types
name where they say how gateway ports are found.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Port = Annotated[int, Field(ge=1, le=65535)]


class Fields(BaseModel):
    """An object with exactly these fields."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class From(Fields):
    """Who: a namespace, or labels in it."""

    namespace: str
    workload_selector: dict[str, str] | None = None


class ServicePort(Fields):
    """Istio's Port (networking/v1beta1)."""

    name: Annotated[str, Field(min_length=1, max_length=63)]
    number: Port
    protocol: Literal["HTTP", "GRPC", "TLS"]


class ByPort(Fields):
    """A port of the gateway."""

    port: Port


class HttpsUpgrade(Fields):
    """TLS that starts at the gateway."""

    enabled: bool
    port: Port


class To(Fields):
    """Where to. Its gateway port is optional in newer versions only."""

    name: str
    hosts: Annotated[list[str], Field(min_length=1, max_length=50)]
    port: ServicePort
    by_egress_gateway: ByPort
    https_upgrade: HttpsUpgrade | None = None


class Rule(Fields):
    """One of `egressRules`."""

    name: str
    from_: Annotated[list[From], Field(min_length=1, alias="from")]
    to: Annotated[list[To], Field(min_length=1)]


class ByGateway(Fields):
    """The gateway."""

    name: str


class EgressTrafficPolicySpec(Fields):
    """`spec` of an ASMEgressTrafficPolicy."""

    by_egress_gateway: ByGateway
    egress_rules: Annotated[list[Rule], Field(min_length=1)]


class GatewayPort(Fields):
    """Kubernetes' ServicePort."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$")]
    port: Port
    target_port: Port
    protocol: Literal["TCP"]


class Utilization(Fields):
    """`cpu` of the gateway."""

    target_average_utilization: int


class IstioGatewaySpec(Fields):
    """`spec` of an IstioGateway. `nodeSelector`, `tolerations` and `affinity` are Kubernetes' own."""

    gateway_type: Literal["egress"]
    cluster_ids: Annotated[list[str], Field(min_length=1)]
    service_type: Literal["ClusterIP"]
    replica_count: int | None = None
    autoscale_enabled: bool | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    cpu: Utilization | None = None
    host_network: bool | None = None
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet"] | None = None
    node_selector: dict[str, str]
    tolerations: list[dict[str, str]]
    affinity: dict[str, Any]
    pod_labels: dict[str, str]
    pod_annotations: dict[str, str]
    ports: Annotated[list[GatewayPort], Field(min_length=1)]


NAMESPACES = {"IstioGateway": "istio-system", "ASMEgressTrafficPolicy": "istio-egress"}
"""Where alone ASM reads them."""
API = "istio.alibabacloud.com/v1beta1"
SPECS: dict[str, type[Fields]] = {
    "IstioGateway": IstioGatewaySpec,
    "ASMEgressTrafficPolicy": EgressTrafficPolicySpec,
}
