"""The proxies of a Gateway: where they run, how they are reached, and what they log."""

from typing import Any, Final

from components.plan.objects import KubeObject
from components.plan.offers.listeners import gateway_name
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
            "telemetry": {"accessLog": {"settings": [_json_to_stdout()]}},
        },
    )


def _json_to_stdout() -> dict[str, Any]:
    return {
        "format": {
            "type": "JSON",
            "json": {
                "start_time": "%START_TIME%",
                "method": "%REQ(:METHOD)%",
                "authority": "%REQ(:AUTHORITY)%",
                "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
                "response_code": "%RESPONSE_CODE%",
                "response_flags": "%RESPONSE_FLAGS%",
                "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
                "upstream_host": "%UPSTREAM_HOST%",
                "upstream_cluster": "%UPSTREAM_CLUSTER%",
                "duration_ms": "%DURATION%",
            },
        },
        "sinks": [{"type": "File", "file": {"path": "/dev/stdout"}}],
    }
