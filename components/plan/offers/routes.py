"""Which requests and connections go to which backend: routes of Gateway API."""

from typing import Final

from components.plan.names import further_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.http_routes import http_rules
from components.plan.offers.listeners import gateway_name, listeners
from components.plan.offers.targets import references
from components.settings import Settings
from components.settings.offers.backends import Backend
from components.settings.reserved import DEFAULT_GATEWAY

ROUTE_KINDS: Final = {"HTTP": "HTTPRoute", "GRPC": "GRPCRoute", "TLS": "TLSRoute", "TCP": "TCPRoute"}
"""The kind of route for each protocol. All are `v1` since Gateway API 1.6, in the standard channel too."""
_API_VERSION: Final = "gateway.networking.k8s.io/v1"


def route_name(name: str, backend: Backend) -> str:
    """What a backend's route is called: by its Gateway, too, where that is not `default`.

    A backend that moves to another Gateway gets a new route there, with policies of its own. The old ones stay as they
    are until both are gone: a Gateway that leaves the declaration, too, answers to the end.
    """
    return name if backend.offered_by == DEFAULT_GATEWAY else further_name(name, backend.offered_by)


def route(settings: Settings, name: str, backend: Backend, *, cluster_domain: str) -> KubeObject:
    """The one route of a backend."""
    rules = (
        http_rules(settings, name, backend, cluster_domain=cluster_domain)
        if backend.protocol in ("HTTP", "GRPC")
        else [{"backendRefs": references(name, backend)}]
    )
    parent = gateway_name(backend.offered_by)
    # Every entry is declared on an object of its own, and a Service's is not ours.
    annotations = {} if backend.service is None else {DECLARATION: declaration({name: backend})}
    return KubeObject(
        api_version=_API_VERSION,
        kind=ROUTE_KINDS[backend.protocol],
        name=route_name(name, backend),
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "parentRefs": [{"name": parent, "sectionName": each.name} for each in listeners(name, backend)],
            **({} if backend.hostnames is None else {"hostnames": sorted(backend.hostnames)}),
            "rules": rules,
        },
        annotations=annotations,
    )
