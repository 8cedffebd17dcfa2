"""Which requests and connections go to which backend: routes of Gateway API."""

from collections.abc import Iterator
from typing import Any, Final

from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.http_routes import http_objects
from components.plan.offers.listeners import gateway_name, listeners
from components.plan.offers.targets import references
from components.settings import Settings
from components.settings.offers.backends import Backend

ROUTE_KINDS: Final = {"HTTP": "HTTPRoute", "GRPC": "GRPCRoute", "TLS": "TLSRoute", "TCP": "TCPRoute"}
"""The kind of route for each protocol. All are `v1` since Gateway API 1.6, in the standard channel too."""
_API_VERSION: Final = "gateway.networking.k8s.io/v1"


def routes(settings: Settings, name: str, backend: Backend, *, cluster_domain: str) -> Iterator[KubeObject]:
    """The one route of a backend, which has its name, after what it refers to."""
    rules: list[dict[str, Any]]
    if backend.protocol in ("HTTP", "GRPC"):
        filters, rules = http_objects(settings, name, backend, cluster_domain=cluster_domain)
        yield from filters
    else:
        rules = [{"backendRefs": references(name, backend)}]
    parent = gateway_name(backend.offered_by)
    # Every entry is declared on an object of its own, and a Service's is not ours.
    annotations = {} if backend.service is None else {DECLARATION: declaration({name: backend})}
    yield KubeObject(
        api_version=_API_VERSION,
        kind=ROUTE_KINDS[backend.protocol],
        name=name,
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "parentRefs": [{"name": parent, "sectionName": each.name} for each in listeners(name, backend)],
            **({} if backend.hostnames is None else {"hostnames": sorted(backend.hostnames)}),
            "rules": rules,
        },
        annotations=annotations,
    )
