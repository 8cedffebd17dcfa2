"""Istio itself: CRDs, istiod, and the labels by which namespaces join the mesh."""

from dataclasses import dataclass
from typing import Any

from components.plan.mesh.telemetry import extension_providers
from components.plan.objects import ROLE, NamespaceLabels, Release
from components.plan.releases import release
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class IstioPlan:
    """The mesh's control plane, and who joins."""

    namespace: str
    base: Release
    istiod: Release
    namespaces: tuple[NamespaceLabels, ...]


def outbound_mode(settings: Settings) -> str:
    """What a sidecar does with a host it does not know."""
    return "REGISTRY_ONLY" if settings.egress.posture == "enforce" else "ALLOW_ANY"


def plan_istio(settings: Settings, *, cluster_domain: str) -> IstioPlan:
    """Istio's minimal install: the charts `base` and `istiod`."""
    istio = settings.install.istio
    values: dict[str, Any] = {
        "meshConfig": {
            "outboundTrafficPolicy": {"mode": outbound_mode(settings)},
            "accessLogEncoding": "JSON",
            "trustDomain": settings.egress.mesh.trust_domain,
            "extensionProviders": extension_providers(settings, cluster_domain=cluster_domain),
        },
        "global": {"proxy": {"clusterDomain": cluster_domain}},
    }
    if istio.image_registry is not None:
        values["global"]["hub"] = istio.image_registry
    return IstioPlan(
        namespace=istio.namespace,
        base=release(
            settings,
            name="istio-base",
            namespace=istio.namespace,
            chart=istio.base,
            version=istio.version,
            values={"defaultRevision": "default"},
        ),
        istiod=release(
            settings,
            name="istiod",
            namespace=istio.namespace,
            chart=istio.istiod,
            version=istio.version,
            values=values,
        ),
        namespaces=tuple(
            NamespaceLabels(name=name, labels=_labels(namespace.role))
            for name, namespace in sorted(settings.cluster.namespaces.items())
        ),
    )


def _labels(role: str) -> dict[str, str]:
    return {ROLE: role, "istio-injection": "enabled"} if role == "client" else {ROLE: role}
