"""How many pods an egress gateway has, on which nodes, and how they come and go: values of Istio's gateway chart."""

from typing import Any, Final

from components.plan.placement import placement
from components.settings import Settings
from components.settings.egress import FurtherGateway

_AUTOSCALED: Final = {"requests": {"cpu": "500m", "memory": "256Mi"}}
"""What a pod that comes by load asks for: the chart's 100m would be busy, and doubled, at a tenth of a core."""
NO_GAP: Final = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
"""An update takes no pod away before its successor is ready. Defaults may, from four pods on."""


def gateway_pods(settings: Settings, gateway: FurtherGateway, labels: dict[str, str]) -> dict[str, Any]:
    """The values about a gateway's pods.

    Args:
        settings: the declaration; its egress nodes hold for gateways without nodes of their own.
        gateway: the gateway.
        labels: of its pods.
    """
    return {
        **_number(gateway),
        "podDisruptionBudget": {"maxUnavailable": 1},
        "strategy": NO_GAP,
        **_drain(gateway),
        **placement(settings.egress.nodes if gateway.nodes is None else gateway.nodes, labels),
    }


def _number(gateway: FurtherGateway) -> dict[str, Any]:
    scaled = gateway.autoscaling
    if scaled is None:
        return {"autoscaling": {"enabled": False}, "replicaCount": gateway.replicas}
    # No number beside it: every update would take it back to that number.
    return {
        "autoscaling": {
            "enabled": True,
            "minReplicas": scaled.min_replicas,
            "maxReplicas": scaled.max_replicas,
            "targetCPUUtilizationPercentage": scaled.cpu_percent,
        },
        "resources": _AUTOSCALED,
    }


def _drain(gateway: FurtherGateway) -> dict[str, Any]:
    """A pod that goes stays until its last connection has ended, and is ended by the kubelet after that time.

    pilot-agent ignores `terminationDrainDuration`, after which it would cut what is left, once it waits for
    connections (istio/istio: pkg/envoy/agent.go, `terminate`). It waits 5 s at least, for clients to learn of it.
    """
    return {
        "env": {"EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true"},
        "terminationGracePeriodSeconds": gateway.drain_seconds,
    }
