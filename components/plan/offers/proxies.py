"""The proxies of a Gateway: where they run, how they are reached, and what they log."""

from typing import Final

from components.plan.objects import KubeObject
from components.plan.offers.listeners import gateway_name
from components.plan.offers.telemetry import telemetry
from components.plan.placement import placement
from components.settings import Settings

NOT_INJECTED: Final = {"sidecar.istio.io/inject": "false"}
"""The label of a pod that gets no sidecar."""
_OWNER: Final = "gateway.envoyproxy.io/owning-gateway-name"


def proxy_labels(settings: Settings, name: str) -> dict[str, str]:
    """The labels that Envoy Gateway puts on the proxies of a Gateway, by its name in the settings."""
    return {
        _OWNER: gateway_name(name),
        "gateway.envoyproxy.io/owning-gateway-namespace": settings.install.envoy_gateway.namespace,
    }


def envoy_proxy(settings: Settings, name: str) -> KubeObject:
    """The proxies stand on the egress nodes, because what they send must come from the addresses in the hand-off."""
    own = gateway_name(name)
    placed = placement(settings.egress.nodes, {_OWNER: own})
    return KubeObject(
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="EnvoyProxy",
        name=own,
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "provider": {
                "type": "Kubernetes",
                "kubernetes": {
                    "envoyDeployment": {"replicas": 2, "pod": {"labels": NOT_INJECTED, **placed}},
                    "envoyPDB": {"maxUnavailable": 1},
                    "envoyService": {"type": "ClusterIP", "name": own},  # offered inside, not at the edge
                },
            },
            "telemetry": telemetry(settings, name),
        },
    )
