"""Where backends answer: Backends of Envoy Gateway, and how routes refer to them or to Services."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from components.plan.names import further_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.listeners import gateways_of
from components.settings import Settings
from components.settings.offers.backends import Backend, BackendTls, Endpoint, Service

_GROUP: Final = "gateway.envoyproxy.io"
_STANDBY: Final = "standby"


def targets(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """The Backends of one entry: none where it leads to a Service."""
    if backend.resolver is not None:
        yield _backend(settings, name, name, backend, {"type": "DynamicResolver"})
    if backend.endpoints is not None:
        spec = {"type": "Endpoints", "endpoints": _endpoints(backend.endpoints)}
        yield _backend(settings, name, name, backend, spec)
    if backend.standby is not None:
        spec = {"type": "Endpoints", "endpoints": _endpoints(backend.standby), "fallback": True}
        yield _backend(settings, further_name(name, _STANDBY), name, backend, spec)


def references(name: str, backend: Backend) -> list[dict[str, Any]]:
    """The `backendRefs` of a route that leads to this entry alone: where it answers, and what stands by for it."""
    main = reference(name, backend)
    return [main] if backend.standby is None else [main, _reference(further_name(name, _STANDBY))]


def reference(name: str, backend: Backend) -> dict[str, Any]:
    """The one `backendRef` to where an entry answers."""
    if backend.service is None:
        return _reference(name)
    service = backend.service
    return {"kind": "Service", "namespace": service.namespace, "name": service.name, "port": service.port}


def mesh_host(settings: Settings, backend: Backend, *, cluster_domain: str) -> str | None:
    """The `Host` by which a Gateway's sidecars find the Service behind an entry; nothing where it may be any.

    A sidecar knows the routes of plain HTTP by port and host, and sends what it does not know nowhere
    (istio.io, "Integrations: ingress controllers").
    """
    if backend.service is None or not gateways_of(settings)[backend.offered_by].in_mesh:
        return None
    return service_host(backend.service, cluster_domain)


def service_host(service: Service, cluster_domain: str) -> str:
    """A Service's own name in DNS."""
    return f"{service.name}.{service.namespace}.svc.{cluster_domain}"


def _reference(name: str) -> dict[str, Any]:
    return {"group": _GROUP, "kind": "Backend", "name": name}


def _backend(settings: Settings, own: str, entry: str, backend: Backend, spec: dict[str, Any]) -> KubeObject:
    public = {} if backend.access.public is None else {"cluster-egress/public": backend.access.public}
    if backend.application_protocol is not None:
        spec["appProtocols"] = [f"{_GROUP}/{backend.application_protocol}"]
    if backend.tls is not None:
        spec["tls"] = _tls(backend, backend.tls)
    return KubeObject(
        api_version=f"{_GROUP}/v1alpha1",
        kind="Backend",
        name=own,
        namespace=settings.install.envoy_gateway.namespace,
        spec=spec,
        annotations={DECLARATION: declaration({entry: backend}), **public},
    )


def _tls(backend: Backend, tls: BackendTls) -> dict[str, Any]:
    """Verified TLS: with `sni`, Envoy Gateway has the name checked as well. See docs/adr/0015-backend-tls.md."""
    sni = _server_name(backend)
    authority = {"caCertificateRefs": [{"group": "", "kind": "Secret", "name": tls.secret}]}
    return {
        **({} if sni is None else {"sni": sni}),
        **({"wellKnownCACertificates": "System"} if tls.secret is None else authority),
        **({"clientCertificateRef": {"kind": "Secret", "name": tls.secret}} if tls.client_certificate else {}),
        "minVersion": tls.min_version,
    }


def _server_name(backend: Backend) -> str | None:
    """The name in the SNI and in the endpoints' certificate; nothing where a resolver takes it from the request."""
    if backend.tls is None or backend.resolver is not None:
        return None
    names = {each.fqdn for each in (*(backend.endpoints or ()), *(backend.standby or ())) if each.fqdn is not None}
    return backend.tls.server_name or min(names, default=None)


def _endpoints(endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    return [_endpoint(each) for each in sorted(endpoints, key=lambda e: (e.ip or "", e.fqdn or "", e.port))]


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    zone = {} if endpoint.zone is None else {"zone": endpoint.zone}
    if endpoint.ip is not None:
        return {"ip": {"address": endpoint.ip, "port": endpoint.port}, **zone}
    return {"fqdn": {"hostname": endpoint.fqdn, "port": endpoint.port}, **zone}
