"""From each backend's entry every object that it needs, in the order in which they must be there."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.plan.admission import AdmissionPolicy, plan_admission
from components.plan.objects import KubeObject, Rights
from components.plan.offers import client_traffic
from components.plan.offers.access import access_policies
from components.plan.offers.authorizers import authorizer
from components.plan.offers.grants import grants
from components.plan.offers.http_routes import route_filters
from components.plan.offers.mesh import offers
from components.plan.offers.redirects import redirects
from components.plan.offers.rights import rights
from components.plan.offers.routes import route
from components.plan.offers.targets import targets
from components.plan.offers.traffic import traffic_policies
from components.settings import Settings
from components.settings.offers.backends import Backend
from policy.approvals import Approvals


@dataclass(frozen=True, kw_only=True)
class OfferedBackend:
    """The objects of one backend."""

    targets: tuple[KubeObject, ...]
    """Where it answers, and what its routes refer to."""
    shared_with: tuple[str, ...]
    """Other backends to whose targets its routes refer, by name."""
    policies: tuple[tuple[KubeObject, ...], ...]
    """Who may call it, and how much: in force before its routes, in steps, each before the next."""
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
    offers: tuple[KubeObject, ...]
    """What lets sidecars find the backends."""


def plan_backends(settings: Settings, approvals: Approvals) -> BackendsPlan:
    """Every backend in its Gateway's own namespace: no route from elsewhere can attach."""
    return BackendsPlan(
        admission=plan_admission(settings, approvals),
        grants=tuple(grants(settings)),
        rights=rights(settings, approvals),
        backends={
            name: _offered(settings, name, backend, cluster_domain=approvals.cluster.domain)
            for name, backend in sorted((settings.backends or {}).items())
        },
        offers=tuple(offers(settings)),
    )


def _offered(settings: Settings, name: str, backend: Backend, *, cluster_domain: str) -> OfferedBackend:
    asked = authorizer(settings, name, backend)
    return OfferedBackend(
        targets=(
            *targets(settings, name, backend),
            *(() if asked is None else (asked,)),
            *route_filters(settings, name, backend),
        ),
        shared_with=tuple(backend.shared_with),
        policies=_policies(settings, name, backend, cluster_domain=cluster_domain),
        routes=(
            route(settings, name, backend, cluster_domain=cluster_domain),
            *redirects(settings, name, backend),
        ),
    )


def _policies(
    settings: Settings, name: str, backend: Backend, *, cluster_domain: str
) -> tuple[tuple[KubeObject, ...], ...]:
    """What is asked of callers' TLS, and everything else: what they have shown so far is given up last.

    Either may take the place of the other in one update: certificates of a token, or a token of certificates.
    """
    tls = tuple(client_traffic.of_listeners(settings, name, backend))
    others = (
        *access_policies(settings, name, backend),
        *traffic_policies(settings, name, backend, cluster_domain=cluster_domain),
    )
    return (others, tls) if backend.access.client_certificates is None else (tls, others)
