"""Who asks in plain text for what is offered with TLS is sent there."""

from collections.abc import Iterator
from typing import Any

from components.plan.names import further_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.listeners import gateway_name, redirecting
from components.plan.offers.routes import route_name
from components.settings import Settings
from components.settings.offers.backends import Backend
from components.settings.reserved import OFFER_TLS_PORT


def redirects(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """The route of a backend with `httpsRedirect`: it answers, and leads nowhere itself."""
    if not backend.https_redirect:
        return
    to: dict[str, Any] = {"scheme": "https", "statusCode": 301}
    if (port := backend.listening_port) != OFFER_TLS_PORT:
        to["port"] = port
    yield KubeObject(
        api_version="gateway.networking.k8s.io/v1",
        kind="HTTPRoute",
        name=further_name(route_name(name, backend), "redirect"),
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "parentRefs": [
                {"name": gateway_name(backend.offered_by), "sectionName": each.name} for each in redirecting(backend)
            ],
            "hostnames": sorted(backend.hostnames or ()),
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "filters": [{"type": "RequestRedirect", "requestRedirect": to}],
                }
            ],
        },
        annotations={DECLARATION: declaration({name: backend})},
    )
