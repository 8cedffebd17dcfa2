"""Envoy Gateway itself, and the Gateways through which backends are offered."""

from dataclasses import dataclass
from typing import Any, Final

from components.plan.objects import Release
from components.plan.offers.gateways import GatewayPlan, plan_gateways
from components.plan.offers.listeners import gateways_of
from components.plan.offers.proxies import NOT_INJECTED
from components.plan.offers.telemetry import collectors
from components.plan.releases import release
from components.settings import Settings
from components.settings.install import Redis
from policy.approvals import Approvals

_CONTROLLER_PORTS: Final = {"grpc": 18000, "ratelimit": 18001, "wasm": 18002, "metrics": 19001}
"""The ports of the chart's Service; the first is where proxies get their configuration."""


@dataclass(frozen=True, kw_only=True)
class EnvoyGatewayPlan:
    """The controller, and what it must find before any backend."""

    namespace: str
    release: Release
    gateways: tuple[GatewayPlan, ...]


def plan_envoy_gateway(settings: Settings, approvals: Approvals) -> EnvoyGatewayPlan:
    """Envoy Gateway, which is installed only where backends are declared."""
    return EnvoyGatewayPlan(
        namespace=settings.install.envoy_gateway.namespace,
        release=_release(settings, cluster_domain=approvals.cluster.domain),
        gateways=plan_gateways(settings, approvals),
    )


def _release(settings: Settings, *, cluster_domain: str) -> Release:
    envoy_gateway = settings.install.envoy_gateway
    values: dict[str, Any] = {
        "config": {"envoyGateway": _config(settings, cluster_domain=cluster_domain)},
        # Helm's hook Job would never end with a sidecar beside it.
        "certgen": {"job": {"pod": {"labels": NOT_INJECTED}}},
        "deployment": {"pod": {"labels": NOT_INJECTED}, **_ports(settings)},
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


def _config(settings: Settings, *, cluster_domain: str) -> dict[str, Any]:
    """Envoy Gateway's own configuration: what it may do, and the namespaces in which it may read."""
    redis = settings.install.envoy_gateway.redis
    kubernetes: dict[str, Any] = {"watch": {"type": "Namespaces", "namespaces": watched_namespaces(settings)}}
    if redis is not None:
        # It refuses while it is away, so one pod of it is not enough.
        kubernetes["rateLimitDeployment"] = {"replicas": 2, "pod": {"labels": NOT_INJECTED}}
        kubernetes["rateLimitPDB"] = {"maxUnavailable": 1}
    return {
        **({"extensionApis": {"enableBackend": True}} if uses_backend_api(settings) else {}),
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
        **({} if redis is None else {"rateLimit": _rate_limit(redis, cluster_domain=cluster_domain)}),
    }


def uses_backend_api(settings: Settings) -> bool:
    """Whether anything needs a Backend of Envoy Gateway: endpoints outside, looked-up hosts, and sockets do."""
    return any(
        backend.endpoints is not None
        or backend.resolver is not None
        or (backend.access.external is not None and backend.access.external.socket is not None)
        for backend in (settings.backends or {}).values()
    ) or any(gateway.access_log.socket is not None for gateway in gateways_of(settings).values())


def watched_namespaces(settings: Settings) -> list[str]:
    """The namespaces whose objects Envoy Gateway may read, Secrets among them: its own, and those it is led to."""
    found = {settings.install.envoy_gateway.namespace}
    for backend in (settings.backends or {}).values():
        if backend.service is not None:
            found.add(backend.service.namespace)
        if backend.certificate is not None and backend.certificate.namespace is not None:
            found.add(backend.certificate.namespace)
        if backend.access.external is not None and backend.access.external.service is not None:
            found.add(backend.access.external.service.namespace)
    for name in gateways_of(settings):
        found |= {collector.namespace for collector in collectors(settings, name).values()}
    return sorted(found)


def _ports(settings: Settings) -> dict[str, Any]:
    """For proxies in the mesh, what their sidecars would take for plain gRPC and cannot read; Helm replaces lists."""
    if not any(gateway.in_mesh for gateway in gateways_of(settings).values()):
        return {}
    ports: list[dict[str, Any]] = [
        {"name": name, "port": port, "targetPort": port} for name, port in _CONTROLLER_PORTS.items()
    ]
    ports[0]["appProtocol"] = "tls"
    return {"ports": ports}


def _rate_limit(redis: Redis, *, cluster_domain: str) -> dict[str, Any]:
    if redis.url_secret is None:
        host = f"{redis.service}.{redis.namespace}.svc.{cluster_domain}"
        where: dict[str, Any] = {"url": f"{host}:{redis.port}"}
    else:
        where = {"urlRef": {"secretKeyRef": {"name": redis.url_secret, "key": "url"}}}
    return {
        "backend": {"type": "Redis", "redis": where},
        "failClosed": True,
        # Whoever is not answered in time is refused; Envoy's 20 ms would refuse whenever Redis pauses.
        "timeout": "250ms",
    }
