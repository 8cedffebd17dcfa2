"""From each backend's entry every object that it needs, in the order in which they must be there."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.plan.admission import AdmissionPolicy, plan_admission
from components.plan.objects import KubeObject, Rights
from components.plan.offers.access import access_policies
from components.plan.offers.authorizers import authorizer
from components.plan.offers.grants import grants
from components.plan.offers.mesh import offers
from components.plan.offers.redirects import redirects
from components.plan.offers.rights import rights
from components.plan.offers.routes import routes
from components.plan.offers.targets import targets
from components.plan.offers.traffic import traffic_policies
from components.settings import Settings
from policy.approvals import Approvals


@dataclass(frozen=True, kw_only=True)
class OfferedBackend:
    """The objects of one backend."""

    targets: tuple[KubeObject, ...]
    """Where it answers."""
    policies: tuple[KubeObject, ...]
    """Who may call it, and how much: in force before its routes."""
    routes: tuple[KubeObject, ...]
    """Which requests go there."""


@dataclass(frozen=True, kw_only=True)
class BackendsPlan:
    """Everything about backends but their Gateways."""

    admission: tuple[AdmissionPolicy, ...]
    """What the API server refuses, also from those who go past the pack; in force before any backend."""
    grants: tuple[KubeObject, ...]
    """What lets backends use what stands elsewhere."""
    rights: Rights
    """What lets people write them."""
    backends: Mapping[str, OfferedBackend]
    """Each backend, by its name."""
    offers: Mapping[str, KubeObject]
    """What lets sidecars find the backends, by the Gateway's name in the settings."""


def plan_backends(settings: Settings, approvals: Approvals) -> BackendsPlan:
    """Every backend in its Gateway's own namespace: no route from elsewhere can attach."""
    return BackendsPlan(
        admission=plan_admission(settings, approvals),
        grants=tuple(grants(settings)),
        rights=rights(settings, approvals),
        backends={
            name: OfferedBackend(
                targets=(
                    *targets(settings, name, backend),
                    *([asked] if (asked := authorizer(settings, name, backend)) is not None else []),
                ),
                policies=(
                    *access_policies(settings, name, backend),
                    *traffic_policies(settings, name, backend, cluster_domain=approvals.cluster.domain),
                ),
                routes=(
                    *routes(settings, name, backend, cluster_domain=approvals.cluster.domain),
                    *redirects(settings, name, backend),
                ),
            )
            for name, backend in sorted((settings.backends or {}).items())
        },
        offers=offers(settings),
    )
