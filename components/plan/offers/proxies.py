"""The proxies of a Gateway: where they run, how they are reached, and what they log."""

from typing import Any, Final

from components.plan.gateway_pods import NO_GAP
from components.plan.objects import KubeObject
from components.plan.offers.helpers import helper_containers, helper_mounts, helper_volumes
from components.plan.offers.listeners import gateway_name, gateways_of
from components.plan.offers.telemetry import telemetry
from components.plan.placement import placement
from components.settings import Settings
from components.settings.offers.gateways import BackendGateway
from components.settings.offers.listening import ADDRESS_TYPE
from policy.approvals import Approvals

_INJECT: Final = "sidecar.istio.io/inject"
NOT_INJECTED: Final = {_INJECT: "false"}
"""The label of a pod that gets no sidecar."""
_OWNER: Final = "gateway.envoyproxy.io/owning-gateway-name"
_ADMIN_PATHS: Final = [
    {"exact": "/healthcheck/fail"},
    {"prefix": "/stats?filter="},
    {"prefix": "/stats/prometheus"},
]
"""What Envoy's admin interface answers: what the container that drains asks for (envoyproxy/gateway:
internal/cmd/envoy/shutdown_manager.go), and metrics. Neither configuration nor certificates nor an end."""
_PAST_THE_SIDECAR: Final = {"traffic.sidecar.istio.io/excludeOutboundPorts": "8081"}
"""Envoy Gateway's rate limit service: its port is called `http`, and is mutual TLS of Envoy Gateway's own, which a
sidecar would take for plain text (internal/infrastructure/kubernetes/ratelimit/resource.go)."""
_LEAST_DRAIN: Final = 10
"""Seconds: Envoy Gateway's default."""


def proxy_labels(settings: Settings, name: str) -> dict[str, str]:
    """The labels that Envoy Gateway puts on the proxies of a Gateway, by its name in the settings."""
    return {
        _OWNER: gateway_name(name),
        "gateway.envoyproxy.io/owning-gateway-namespace": settings.install.envoy_gateway.namespace,
    }


def envoy_proxy(settings: Settings, approvals: Approvals, name: str) -> KubeObject:
    """How Envoy Gateway runs the proxies of a Gateway, by its name in the settings."""
    own, gateway = gateway_name(name), gateways_of(settings)[name]
    return KubeObject(
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="EnvoyProxy",
        name=own,
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "provider": {
                "type": "Kubernetes",
                "kubernetes": {
                    "envoyDeployment": _deployment(settings, approvals, name),
                    **_autoscaling(gateway),
                    "envoyPDB": {"maxUnavailable": 1},
                    "envoyService": {"name": own, **_service(gateway)},
                },
            },
            "bootstrap": {
                "type": "JSONPatch",
                "jsonPatches": [{"op": "add", "path": "/admin/allow_paths", "value": _ADMIN_PATHS}],
            },
            "shutdown": _shutdown(gateway),
            **_ip_family(settings),
            # Straight to pods, a sidecar would not know which Service they belong to, and speak plain text.
            **({"routingType": "Service"} if gateway.in_mesh else {}),
            "telemetry": telemetry(settings, name),
        },
    )


def _deployment(settings: Settings, approvals: Approvals, name: str) -> dict[str, Any]:
    gateway = gateways_of(settings)[name]
    nodes = {"egress": settings.egress.nodes, "any": None}
    placed = placement(
        nodes[gateway.nodes] if isinstance(gateway.nodes, str) else gateway.nodes, {_OWNER: gateway_name(name)}
    )
    deployment: dict[str, Any] = {} if gateway.autoscaling is not None else {"replicas": gateway.replicas}
    deployment["strategy"] = NO_GAP
    deployment["pod"] = {**_membership(settings, gateway, approvals), **placed}
    container: dict[str, Any] = {}
    registry = settings.install.envoy_gateway.image_registry
    if registry is not None:  # the chart's value is for the controller's images alone (v1.9.1, _helpers.tpl)
        container["imageRepository"] = f"{registry}/envoyproxy/envoy"
    if gateway.helpers is not None:
        deployment["initContainers"] = helper_containers(gateway)
        deployment["pod"]["volumes"] = helper_volumes(gateway)
        container["volumeMounts"] = helper_mounts(gateway)
    return deployment | ({"container": container} if container else {})


def _membership(settings: Settings, gateway: BackendGateway, approvals: Approvals) -> dict[str, Any]:
    """A sidecar that takes only what stays in the cluster: what leaves must come from Envoy as it is, and be seen."""
    if not gateway.in_mesh:
        return {"labels": NOT_INJECTED}
    inside = (*approvals.cluster.pod_cidrs, *approvals.cluster.service_cidrs)
    return {
        "labels": {_INJECT: "true"},
        "annotations": {
            "traffic.sidecar.istio.io/includeInboundPorts": "",
            "traffic.sidecar.istio.io/includeOutboundIPRanges": ",".join(sorted(inside)),
            **({} if settings.install.envoy_gateway.redis is None else _PAST_THE_SIDECAR),
        },
    }


def _autoscaling(gateway: BackendGateway) -> dict[str, Any]:
    """By the load of Envoy alone: a sidecar or helper that idles would hide it."""
    scaled = gateway.autoscaling
    if scaled is None:
        return {}
    busy = {"type": "Utilization", "averageUtilization": scaled.cpu_percent}
    return {
        "envoyHpa": {
            "minReplicas": scaled.min_replicas,
            "maxReplicas": scaled.max_replicas,
            "metrics": [
                {
                    "type": "ContainerResource",
                    "containerResource": {"name": "cpu", "container": "envoy", "target": busy},
                }
            ],
        }
    }


def _service(gateway: BackendGateway) -> dict[str, Any]:
    """Inside: a name in the cluster. Else a load balancer that keeps callers' addresses, and takes the declared ones.

    Without `Local`, nodes pass connections on under their own address, and every limit by address is a limit by node.
    """
    if gateway.exposure == "inside":
        return {"type": "ClusterIP"}
    return {
        "type": "LoadBalancer",
        "annotations": {ADDRESS_TYPE: gateway.exposure, **(gateway.load_balancer or {})},
        "externalTrafficPolicy": "Local",
        "loadBalancerSourceRanges": sorted(gateway.source_ranges or ()),
    }


def _shutdown(gateway: BackendGateway) -> dict[str, Any]:
    """A proxy that goes stays until its connections have ended, and long enough for others to learn of it.

    Envoy Gateway gives the pod five minutes more (internal/infrastructure/kubernetes/proxy/resource_provider.go).
    """
    return {
        "drainTimeout": f"{gateway.drain_seconds}s",
        "minDrainDuration": f"{min(_LEAST_DRAIN, gateway.drain_seconds)}s",
    }


def _ip_family(settings: Settings) -> dict[str, Any]:
    families = settings.cluster.ip_families
    if families == ("IPv4",):
        return {}
    return {"ipFamily": "DualStack" if len(families) > 1 else "IPv6"}
