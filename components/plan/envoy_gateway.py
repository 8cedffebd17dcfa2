"""Envoy Gateway itself, and the class, proxies and Gateway through which backends are offered."""

from dataclasses import dataclass
from typing import Any, Final

from components.plan.objects import KubeObject, Release
from components.plan.placement import placement
from components.plan.releases import release
from components.settings import Settings
from components.settings.reserved import OFFER_PORT

CLASS: Final = "cluster-egress"
"""The GatewayClass of ours, and the name of its EnvoyProxy and Gateway."""
PROXY_LABELS: Final = {"gateway.envoyproxy.io/owning-gateway-name": CLASS}
"""A label of the proxies of our Gateway."""
PROXY_PORT: Final = OFFER_PORT + 10000
"""Where the proxies listen for it: Envoy Gateway moves ports below 1024 up, so that the pod needs no privilege."""
_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
_NOT_INJECTED: Final = {"sidecar.istio.io/inject": "false"}


def proxy_labels(namespace: str) -> dict[str, str]:
    """The labels that Envoy Gateway puts on the proxies of our Gateway."""
    return {**PROXY_LABELS, "gateway.envoyproxy.io/owning-gateway-namespace": namespace}


@dataclass(frozen=True, kw_only=True)
class EnvoyGatewayPlan:
    """The controller, and what it must find before any backend."""

    namespace: str
    release: Release
    proxy: KubeObject
    gateway_class: KubeObject
    gateway: KubeObject


def plan_envoy_gateway(settings: Settings, *, cluster_domain: str) -> EnvoyGatewayPlan:
    """Envoy Gateway with its Backend API on: it is installed only where backends are declared."""
    namespace = settings.install.envoy_gateway.namespace
    return EnvoyGatewayPlan(
        namespace=namespace,
        release=_release(settings, cluster_domain),
        proxy=_proxy(settings),
        gateway_class=KubeObject(
            api_version="gateway.networking.k8s.io/v1",
            kind="GatewayClass",
            name=CLASS,
            spec={
                "controllerName": _CONTROLLER,
                "parametersRef": {
                    "group": "gateway.envoyproxy.io",
                    "kind": "EnvoyProxy",
                    "name": CLASS,
                    "namespace": namespace,
                },
            },
        ),
        gateway=KubeObject(
            api_version="gateway.networking.k8s.io/v1",
            kind="Gateway",
            name=CLASS,
            namespace=namespace,
            spec={
                "gatewayClassName": CLASS,
                "listeners": [
                    {
                        "name": "http",
                        "protocol": "HTTP",
                        "port": OFFER_PORT,
                        "allowedRoutes": {"namespaces": {"from": "Same"}},
                    }
                ],
            },
        ),
    )


def _release(settings: Settings, cluster_domain: str) -> Release:
    envoy_gateway = settings.install.envoy_gateway
    values: dict[str, Any] = {
        "config": {"envoyGateway": {"extensionApis": {"enableBackend": True}}},
        # Helm's hook Job would never end with a sidecar beside it.
        "certgen": {"job": {"pod": {"labels": _NOT_INJECTED}}},
        "deployment": {"pod": {"labels": _NOT_INJECTED}},
        "kubernetesClusterDomain": cluster_domain,
    }
    if settings.install.gateway_api is not None:
        # The chart's policy about upgrades of Gateway API's CRDs is for whoever looks after them.
        values["crds"] = {"gatewayAPI": {"safeUpgradePolicy": {"enabled": False}}}
    if envoy_gateway.image_registry is not None:
        values["global"] = {"imageRegistry": envoy_gateway.image_registry}
    return release(
        settings,
        name="envoy-gateway",
        namespace=envoy_gateway.namespace,
        chart=envoy_gateway.chart,
        version=envoy_gateway.version,
        values=values,
        crds=settings.install.gateway_api is None,
    )


def _proxy(settings: Settings) -> KubeObject:
    """The proxies stand on the egress nodes, because what they send must come from the addresses in the hand-off."""
    placed = placement(settings.egress.nodes, PROXY_LABELS)
    return KubeObject(
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="EnvoyProxy",
        name=CLASS,
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "provider": {
                "type": "Kubernetes",
                "kubernetes": {
                    "envoyDeployment": {"replicas": 2, "pod": {"labels": _NOT_INJECTED, **placed}},
                    "envoyPDB": {"maxUnavailable": 1},
                    "envoyService": {"type": "ClusterIP", "name": CLASS},  # offered inside, not at the edge
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
