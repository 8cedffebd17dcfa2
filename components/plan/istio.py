"""Istio itself: CRDs, istiod, and the labels by which namespaces join the mesh."""

from dataclasses import dataclass
from typing import Any

from components.plan.objects import ROLE, NamespaceLabels, Release
from components.plan.releases import release
from components.plan.revisions import CANARY, injection, newest_version
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class IstioPlan:
    """The mesh's control plane, and who joins."""

    namespace: str
    base: Release
    istiod: Release
    canary: Release | None
    """A second istiod, during an upgrade."""
    namespaces: tuple[NamespaceLabels, ...]


def outbound_mode(settings: Settings) -> str:
    """What a sidecar does with a host it does not know."""
    return "REGISTRY_ONLY" if settings.egress.posture == "enforce" else "ALLOW_ANY"


def plan_istio(settings: Settings, *, cluster_domain: str) -> IstioPlan:
    """Istio's minimal install: the charts `base` and `istiod`, and during an upgrade `istiod` once more."""
    istio = settings.install.istio
    values = _control_plane(settings, cluster_domain)
    return IstioPlan(
        namespace=istio.namespace,
        base=release(
            settings,
            name="istio-base",
            namespace=istio.namespace,
            chart=istio.base,
            version=newest_version(settings),
            values={"defaultRevision": "default"},
        ),
        istiod=_istiod(settings, "istiod", istio.version, values),
        canary=None
        if istio.canary is None
        else _istiod(settings, f"istiod-{CANARY}", istio.canary.version, {**values, "revision": CANARY}),
        namespaces=tuple(
            NamespaceLabels(name=name, labels=_labels(settings, name, namespace.role))
            for name, namespace in sorted(settings.cluster.namespaces.items())
        ),
    )


def _control_plane(settings: Settings, cluster_domain: str) -> dict[str, Any]:
    """What every istiod is told: two that differ would make two meshes of one."""
    values: dict[str, Any] = {
        "meshConfig": {
            "outboundTrafficPolicy": {"mode": outbound_mode(settings)},
            "accessLogEncoding": "JSON",
            "trustDomain": settings.egress.mesh.trust_domain,
        },
        "global": {"proxy": {"clusterDomain": cluster_domain}},
    }
    if _has_tcp_by_name(settings):
        # istiod gives such a host an address of its own, and the sidecars answer for it: TCP is known by its address.
        values["meshConfig"]["defaultConfig"] = {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}
    if settings.install.istio.image_registry is not None:
        values["global"]["hub"] = settings.install.istio.image_registry
    return values


def _istiod(settings: Settings, name: str, version: str, values: dict[str, Any]) -> Release:
    istio = settings.install.istio
    return release(settings, name=name, namespace=istio.namespace, chart=istio.istiod, version=version, values=values)


def _labels(settings: Settings, name: str, role: str) -> dict[str, str]:
    return {ROLE: role, **injection(settings, name)} if role == "client" else {ROLE: role}


def _has_tcp_by_name(settings: Settings) -> bool:
    return any(
        port.protocol == "TCP" and destination.addresses is None
        for destination in settings.destinations.values()
        for port in destination.ports.values()
    )
