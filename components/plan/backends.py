"""Services outside that are offered inside: a Backend and an HTTPRoute each, on Envoy Gateway's Gateway."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from components.plan.admission import AdmissionPolicy, plan_admission
from components.plan.egress_gateway import client_namespaces
from components.plan.envoy_gateway import CLASS, PROXY_PORT, proxy_labels
from components.plan.mesh.requests import INTERNAL_HEADERS
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.settings import Settings
from components.settings.models import Backend, Endpoint
from components.settings.reserved import OFFER_PORT
from policy.approvals import Approvals


@dataclass(frozen=True, kw_only=True)
class BackendsPlan:
    """Backends, and the routes that lead to them; a route has its backend's name."""

    backends: tuple[KubeObject, ...]
    routes: tuple[KubeObject, ...]
    offer: KubeObject
    """What lets sidecars find the backends: without it, a host that they do not know is refused."""
    admission: tuple[AdmissionPolicy, ...]
    """What the API server refuses, also from those who go past the pack; in force before any backend."""


def plan_backends(settings: Settings, approvals: Approvals) -> BackendsPlan:
    """Every backend in the Gateway's own namespace: no route from elsewhere can attach, no ReferenceGrant is needed."""
    namespace = settings.install.envoy_gateway.namespace
    declared = sorted((settings.backends or {}).items())
    return BackendsPlan(
        backends=tuple(_backend(name, backend, namespace) for name, backend in declared),
        routes=tuple(_route(name, backend, namespace) for name, backend in declared),
        offer=_offer(settings, declared),
        admission=plan_admission(settings, approvals),
    )


def _offer(settings: Settings, declared: Sequence[tuple[str, Backend]]) -> KubeObject:
    """The backends' hostnames as hosts of the mesh, which Envoy Gateway's proxies answer for."""
    return KubeObject(
        api_version="networking.istio.io/v1",
        kind="ServiceEntry",
        name=CLASS,
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "hosts": sorted({hostname for _, backend in declared for hostname in backend.hostnames}),
            "location": "MESH_EXTERNAL",
            "ports": [{"number": OFFER_PORT, "name": "http", "protocol": "HTTP", "targetPort": PROXY_PORT}],
            "resolution": "STATIC",
            "workloadSelector": {"labels": proxy_labels(settings.install.envoy_gateway.namespace)},
            "exportTo": [".", *client_namespaces(settings)],
        },
        annotations={DECLARATION: declaration(dict(declared))},
    )


def _backend(name: str, backend: Backend, namespace: str) -> KubeObject:
    return KubeObject(
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="Backend",
        name=name,
        namespace=namespace,
        spec={"type": "Endpoints", "endpoints": [_endpoint(each) for each in _sorted(backend.endpoints)]},
        annotations={
            DECLARATION: declaration({name: backend}),
            "cluster-egress/public": backend.access.reason,
        },
    )


def _sorted(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    return sorted(endpoints, key=lambda each: (each.ip or "", each.fqdn or "", each.port))


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.ip is not None:
        return {"ip": {"address": endpoint.ip, "port": endpoint.port}}
    return {"fqdn": {"hostname": endpoint.fqdn, "port": endpoint.port}}


def _route(name: str, backend: Backend, namespace: str) -> KubeObject:
    return KubeObject(
        api_version="gateway.networking.k8s.io/v1",
        kind="HTTPRoute",
        name=name,
        namespace=namespace,
        spec={
            "parentRefs": [{"name": CLASS, "sectionName": "http"}],
            "hostnames": sorted(backend.hostnames),
            "rules": [
                {
                    # What Envoy would add about the caller stays inside.
                    "filters": [
                        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(INTERNAL_HEADERS)}}
                    ],
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name}],
                }
            ],
        },
    )
