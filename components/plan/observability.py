"""Access logs of everything that leaves, and of everything that was refused, as JSON on standard output."""

from typing import Any, Final

from components.plan.mesh.address import GATEWAY, gateway_pods
from components.plan.objects import KubeObject
from components.settings import Settings

_UNDECLARED: Final = " || ".join(
    (
        "xds.cluster_name == 'PassthroughCluster'",  # let through under `observe`
        "xds.cluster_name == 'BlackHoleCluster'",  # TCP and TLS that `enforce` refused
        "xds.route_name == 'block_all'",  # HTTP that `enforce` refused: istiod answers it without a cluster
    )
)
"""Traffic that no destination declares (seen with istiod 1.31 and Envoy 1.40)."""


def plan_observability(settings: Settings) -> tuple[KubeObject, ...]:
    """Telemetry for the gateway (everything) and for the whole mesh (what no destination declares)."""
    namespace, labels = gateway_pods(settings, None)
    return (
        _telemetry(
            GATEWAY,
            namespace,
            {
                "selector": {"matchLabels": labels},
                "accessLogging": [{"providers": [{"name": "envoy"}]}],
            },
        ),
        _telemetry(
            "undeclared-egress",
            settings.install.istio.namespace,
            {"accessLogging": [{"providers": [{"name": "envoy"}], "filter": {"expression": _UNDECLARED}}]},
        ),
    )


def _telemetry(name: str, namespace: str, spec: dict[str, Any]) -> KubeObject:
    return KubeObject(api_version="telemetry.istio.io/v1", kind="Telemetry", name=name, namespace=namespace, spec=spec)
