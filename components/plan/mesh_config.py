"""What every istiod is told. Two of one mesh are told the same, or they would make two meshes of it."""

from typing import Any, Final

from components.plan.mesh import providers
from components.plan.mesh.telemetry import extension_providers
from components.settings import Settings

AMBIENT: Final = "ambient"
"""The profile of Istio's charts that turns the ambient mesh on (manifests/charts/*/files/profile-ambient.yaml)."""


def outbound_mode(settings: Settings) -> str:
    """What a sidecar does with a host it does not know."""
    return "REGISTRY_ONLY" if settings.egress.posture == "enforce" else "ALLOW_ANY"


def control_plane(settings: Settings, *, cluster_domain: str) -> dict[str, Any]:
    """The values of istiod's chart, whatever its revision."""
    environment: dict[str, str] = {}
    authorizers = settings.egress.mesh.authorizers or {}
    mesh: dict[str, Any] = {
        "outboundTrafficPolicy": {"mode": outbound_mode(settings)},
        # Istio's default, written down: permitted paths are judged after `..` is resolved.
        "pathNormalization": {"normalization": "BASE"},
        "accessLogEncoding": "JSON",
        "trustDomain": settings.egress.mesh.trust_domain,
    }
    mesh["extensionProviders"] = [
        *extension_providers(settings, cluster_domain=cluster_domain),
        *providers.authorizers(authorizers, cluster_domain=cluster_domain),
    ]
    if len(authorizers) > 1:
        # Without it, istiod refuses everything at a gateway that asks two (istio/istio, pilot/pkg/security/authz).
        environment["PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS"] = "true"
    proxies: dict[str, str] = {}
    if _has_tcp_by_name(settings):
        # istiod gives such a host an address of its own, and the sidecars answer for it: TCP is known by its address.
        proxies["ISTIO_META_DNS_CAPTURE"] = "true"
    if len(settings.cluster.ip_families) > 1:
        # istiod and the proxies must both know (istio.io, "Install Istio in Dual-Stack mode").
        environment["ISTIO_DUAL_STACK"] = proxies["ISTIO_DUAL_STACK"] = "true"
    if proxies:
        mesh["defaultConfig"] = {"proxyMetadata": proxies}
    image = settings.install.istio.image_registry
    return {
        **({"profile": AMBIENT} if settings.egress.mesh.data_plane == "ambient" else {}),
        "meshConfig": mesh,
        "global": {
            "proxy": {"clusterDomain": cluster_domain},
            **({} if image is None else {"hub": image}),
        },
        **({"env": environment} if environment else {}),
    }


def _has_tcp_by_name(settings: Settings) -> bool:
    return any(
        port.protocol == "TCP" and destination.addresses is None
        for destination in settings.destinations.values()
        for port in destination.ports.values()
    )
