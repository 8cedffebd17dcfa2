"""Who else is asked about every request: services in the cluster, and helpers beside the proxies."""

from typing import Any

from components.plan.names import further_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.helpers import socket_path
from components.settings import Settings
from components.settings.offers.access import ExternalAuthorizer
from components.settings.offers.backends import Backend


def external(name: str, asked: ExternalAuthorizer) -> dict[str, Any]:
    """`extAuth`: no answer means no."""
    if asked.service is None:
        where = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": _name(name)}
        return {"grpc": {"backendRefs": [where]}, "timeout": asked.timeout, "failOpen": False}
    service = asked.service
    references = [
        {"group": "", "kind": "Service", "name": service.service, "namespace": service.namespace, "port": service.port}
    ]
    return {
        service.protocol.lower(): {"backendRefs": references},
        **({} if service.headers is None else {"headersToExtAuth": sorted(service.headers)}),
        "timeout": service.timeout,
        "failOpen": False,
    }


def authorizer(settings: Settings, name: str, backend: Backend) -> KubeObject | None:
    """Where a helper is asked, if one is: policies take a Unix socket only through a Backend."""
    asked = backend.access.external
    if asked is None or asked.socket is None:
        return None
    return KubeObject(
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="Backend",
        name=_name(name),
        namespace=settings.install.envoy_gateway.namespace,
        spec={"type": "Endpoints", "endpoints": [{"unix": {"path": socket_path(asked.socket)}}]},
        annotations={DECLARATION: declaration({name: backend})},
    )


def _name(backend: str) -> str:
    return further_name(backend, "authorizer")
