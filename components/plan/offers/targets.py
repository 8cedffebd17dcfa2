"""Where backends answer: Backends of Envoy Gateway."""

from collections.abc import Iterable, Iterator
from typing import Any

from components.plan.objects import DECLARATION, KubeObject, declaration
from components.settings import Settings
from components.settings.offers.backends import Backend, Endpoint


def targets(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """The Backends of one entry: none where it leads to a Service."""
    if backend.endpoints is not None:
        public = {} if backend.access.public is None else {"cluster-egress/public": backend.access.public}
        yield KubeObject(
            api_version="gateway.envoyproxy.io/v1alpha1",
            kind="Backend",
            name=name,
            namespace=settings.install.envoy_gateway.namespace,
            spec={"type": "Endpoints", "endpoints": [_endpoint(each) for each in _sorted(backend.endpoints)]},
            annotations={DECLARATION: declaration({name: backend}), **public},
        )


def _sorted(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    return sorted(endpoints, key=lambda each: (each.ip or "", each.fqdn or "", each.port))


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.ip is not None:
        return {"ip": {"address": endpoint.ip, "port": endpoint.port}}
    return {"fqdn": {"hostname": endpoint.fqdn, "port": endpoint.port}}
