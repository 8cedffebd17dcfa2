"""Istio itself: CRDs, istiod, and the labels by which namespaces join the mesh."""

from dataclasses import dataclass
from typing import Any

from components.plan.mesh_config import AMBIENT, control_plane
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
    node_agents: tuple[Release, ...]
    """What an ambient mesh has on each node, in the order of installing: who takes pods in, who carries traffic."""
    namespaces: tuple[NamespaceLabels, ...]


def plan_istio(settings: Settings, *, cluster_domain: str) -> IstioPlan:
    """Istio's minimal install: the charts `base` and `istiod`; a second `istiod` during an upgrade; agents on nodes."""
    istio = settings.install.istio
    values = control_plane(settings, cluster_domain=cluster_domain)
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
        node_agents=_node_agents(settings) if settings.egress.mesh.data_plane == "ambient" else (),
        namespaces=members(settings),
    )


def members(settings: Settings) -> tuple[NamespaceLabels, ...]:
    """The labels by which declared namespaces are known, and clients join the mesh."""
    return tuple(
        NamespaceLabels(name=name, labels=_labels(settings, name, namespace.role))
        for name, namespace in sorted(settings.cluster.namespaces.items())
    )


def _node_agents(settings: Settings) -> tuple[Release, ...]:
    """The charts `cni` and `ztunnel` (istio.io, "Install with Helm", ambient)."""
    istio = settings.install.istio
    values: dict[str, Any] = {"profile": AMBIENT}
    if istio.image_registry is not None:
        values["global"] = {"hub": istio.image_registry}
    return tuple(
        release(settings, name=name, namespace=istio.namespace, chart=chart, version=istio.version, values=own)
        for name, chart, own in (
            ("istio-cni", istio.cni, values),
            ("ztunnel", istio.ztunnel, {**values, "istioNamespace": istio.namespace}),
        )
    )


def _istiod(settings: Settings, name: str, version: str, values: dict[str, Any]) -> Release:
    istio = settings.install.istio
    return release(settings, name=name, namespace=istio.namespace, chart=istio.istiod, version=version, values=values)


def _labels(settings: Settings, name: str, role: str) -> dict[str, str]:
    return {ROLE: role, **injection(settings, name)} if role == "client" else {ROLE: role}
