"""The egress gateways as the mesh knows them, and objects in their namespace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.plan.flows import ServiceAccount
from components.plan.names import kube_name
from components.plan.objects import KubeObject
from components.settings import Settings

GATEWAY: Final = "egress-gateway"
"""The name of egress.mesh.gateway's release, Deployment, Service and service account; further ones add their own."""
NETWORKING: Final = "networking.istio.io/v1"
SECURITY: Final = "security.istio.io/v1"
GATEWAY_API: Final = "gateway.networking.k8s.io"
"""The group of Gateway API."""
MUTUAL: Final = "ISTIO_MUTUAL"


def gateway_name(name: str | None) -> str:
    """What a gateway's release, Deployment, Service and service account are called."""
    return GATEWAY if name is None else kube_name(GATEWAY, name)


def gateway_labels(name: str | None) -> dict[str, str]:
    """The labels of a gateway's pods; no two gateways have the same."""
    return {"app": gateway_name(name), "istio": gateway_name(name)}


def asm_labels(name: str | None) -> dict[str, str]:
    """The labels that ASM is asked to give a gateway's pods: none of those that it gives them itself."""
    return {"cluster-egress/gateway": gateway_name(name)}


def pods_of_gateway(settings: Settings, name: str | None) -> tuple[str, dict[str, str]]:
    """The namespace of a gateway's pods, and the labels that they alone have there."""
    if settings.egress.mesh.flavour == "asm":
        return settings.install.istio.namespace, asm_labels(name)
    return settings.egress.mesh.gateway.namespace, gateway_labels(name)


@dataclass(frozen=True, kw_only=True)
class GatewayAddress:
    """An egress gateway as the mesh knows it."""

    name: str | None
    """`None` for egress.mesh.gateway."""
    namespace: str
    cluster_domain: str
    trust_domain: str

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its pods."""
        return gateway_labels(self.name)

    @property
    def service(self) -> str:
        """The full name of its Service."""
        return f"{gateway_name(self.name)}.{self.namespace}.svc.{self.cluster_domain}"

    def principal(self, client: ServiceAccount) -> str:
        """A client as its certificate names it, without `spiffe://`."""
        return f"{self.trust_domain}/ns/{client.namespace}/sa/{client.name}"

    def object(
        self,
        kind: str,
        name: str,
        spec: Mapping[str, Any],
        *,
        api_version: str = NETWORKING,
        annotations: Mapping[str, str] | None = None,
    ) -> KubeObject:
        """An object in the gateway's namespace."""
        return KubeObject(
            api_version=api_version,
            kind=kind,
            name=name,
            namespace=self.namespace,
            spec=spec,
            annotations=annotations or {},
        )
