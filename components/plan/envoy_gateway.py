"""Envoy Gateway itself, and the Gateways through which backends are offered."""

from dataclasses import dataclass
from typing import Any

from components.plan.objects import Release
from components.plan.offers.gateways import GatewayPlan, plan_gateways
from components.plan.offers.proxies import NOT_INJECTED
from components.plan.releases import release
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class EnvoyGatewayPlan:
    """The controller, and what it must find before any backend."""

    namespace: str
    release: Release
    gateways: tuple[GatewayPlan, ...]


def plan_envoy_gateway(settings: Settings, *, cluster_domain: str) -> EnvoyGatewayPlan:
    """Envoy Gateway with its Backend API on: it is installed only where backends are declared."""
    return EnvoyGatewayPlan(
        namespace=settings.install.envoy_gateway.namespace,
        release=_release(settings, cluster_domain),
        gateways=plan_gateways(settings),
    )


def _release(settings: Settings, cluster_domain: str) -> Release:
    envoy_gateway = settings.install.envoy_gateway
    values: dict[str, Any] = {
        "config": {"envoyGateway": {"extensionApis": {"enableBackend": True}}},
        # Helm's hook Job would never end with a sidecar beside it.
        "certgen": {"job": {"pod": {"labels": NOT_INJECTED}}},
        "deployment": {"pod": {"labels": NOT_INJECTED}},
        "kubernetesClusterDomain": cluster_domain,
    }
    if envoy_gateway.image_registry is not None:
        values["global"] = {"imageRegistry": envoy_gateway.image_registry}
    return release(
        settings,
        name="envoy-gateway",
        namespace=envoy_gateway.namespace,
        chart=envoy_gateway.chart,
        version=envoy_gateway.version,
        values=values,
    )
