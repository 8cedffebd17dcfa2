"""Which istiod serves whom while two run: the one that every stack has, and `install.istio.canary`."""

from typing import Final

from components.settings import Settings
from components.settings.reserved import DEFAULT_GATEWAY

CANARY: Final = "canary"
"""The revision of the second istiod."""
REVISION: Final = "istio.io/rev"
"""The label that names a revision. Beside `istio-injection`, which belongs to the first, it counts for nothing
(istiod's chart, templates/mutatingwebhook.yaml)."""


def injection(settings: Settings, namespace: str) -> dict[str, str]:
    """The label by which the pods of a client namespace join the mesh: get their sidecar, or have ztunnel in front."""
    if settings.egress.mesh.data_plane == "ambient":
        return {"istio.io/dataplane-mode": "ambient"}
    canary = settings.install.istio.canary
    moved = canary is not None and namespace in (canary.namespaces or ())
    return {REVISION: CANARY} if moved else {"istio-injection": "enabled"}


def is_canary(settings: Settings, gateway: str | None) -> bool:
    """Whether an egress gateway, by its name, has moved."""
    canary = settings.install.istio.canary
    return canary is not None and (gateway or DEFAULT_GATEWAY) in (canary.gateways or ())


def gateway_version(settings: Settings, gateway: str | None) -> str:
    """The version of an egress gateway's chart."""
    istio = settings.install.istio
    return istio.canary.version if istio.canary is not None and is_canary(settings, gateway) else istio.version


def newest_version(settings: Settings) -> str:
    """The version of what all revisions share: CRDs. The canary's is never the older (components/settings/upgrade.py).

    The older istiod works with newer CRDs, and so Istio has them upgraded first (istio.io, "Upgrade with Helm").
    """
    istio = settings.install.istio
    return istio.version if istio.canary is None else istio.canary.version
