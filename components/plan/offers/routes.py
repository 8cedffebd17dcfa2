"""Which requests go to which backend: routes of Gateway API."""

from collections.abc import Iterator

from components.plan.mesh.requests import INTERNAL_HEADERS
from components.plan.objects import KubeObject
from components.plan.offers.credentials import spent_headers
from components.plan.offers.listeners import gateway_name, gateway_of, listeners
from components.settings import Settings
from components.settings.offers.backends import Backend


def routes(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """The routes of one backend, which have its name."""
    parent = gateway_name(gateway_of(backend))
    yield KubeObject(
        api_version="gateway.networking.k8s.io/v1",
        kind="HTTPRoute",
        name=name,
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "parentRefs": [{"name": parent, "sectionName": each.name} for each in listeners(name, backend)],
            "hostnames": sorted(backend.hostnames or ()),
            "rules": [
                {
                    # What Envoy would add about the caller stays inside.
                    "filters": [
                        {
                            "type": "RequestHeaderModifier",
                            "requestHeaderModifier": {"remove": [*INTERNAL_HEADERS, *spent_headers(backend)]},
                        }
                    ],
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name}],
                }
            ],
        },
    )
