"""What lets sidecars find the backends: without it, a host that they do not know is refused."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.plan.egress_gateway import client_namespaces
from components.plan.names import further_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.listeners import Listener, backends_of, gateway_name, gateways_of, listeners, redirecting
from components.plan.offers.proxies import proxy_labels
from components.settings import Settings
from components.settings.offers.backends import Backend


def offers(settings: Settings) -> Iterator[KubeObject]:
    """The backends' hostnames as hosts of the mesh, for which a Gateway's proxies answer; those of gRPC apart.

    Sidecars speak to a host as its port says: HTTP/1.1 for HTTP, by which the status of a call is lost, and HTTP/2 for
    GRPC. A TCP backend has no hostname: who wants it asks the Gateway's Service, which every sidecar knows.
    """
    for gateway in sorted(gateways_of(settings)):
        named = {name: each for name, each in backends_of(settings, gateway).items() if each.hostnames is not None}
        calls = {name: each for name, each in named.items() if each.protocol == "GRPC"}
        others = {name: each for name, each in named.items() if name not in calls}
        own = gateway_name(gateway)
        if others:
            yield _offer(settings, gateway, own, others, plain="HTTP")
        if calls:
            yield _offer(settings, gateway, further_name(own, "grpc"), calls, plain="GRPC")


def _offer(settings: Settings, gateway: str, name: str, offered: Mapping[str, Backend], *, plain: str) -> KubeObject:
    ports = {
        each.port: _port(each, plain)
        for key, backend in offered.items()
        for each in (*listeners(key, backend), *redirecting(backend))
    }
    return KubeObject(
        api_version="networking.istio.io/v1",
        kind="ServiceEntry",
        name=name,
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "hosts": sorted({hostname for backend in offered.values() for hostname in backend.hostnames or ()}),
            "location": "MESH_EXTERNAL",
            "ports": [port for _, port in sorted(ports.items())],
            "resolution": "STATIC",
            "workloadSelector": {"labels": proxy_labels(settings, gateway)},
            "exportTo": [".", *client_namespaces(settings)],
        },
        annotations={DECLARATION: declaration(offered)},
    )


def _port(listener: Listener, plain: str) -> dict[str, Any]:
    """One port, whichever of its listeners is asked: TLS is passed on by its SNI, whoever ends it."""
    protocol = plain if listener.protocol == "HTTP" else "TLS"
    return {
        "number": listener.port,
        "name": f"{protocol.lower()}-{listener.port}",
        "protocol": protocol,
        "targetPort": listener.pod_port,
    }
