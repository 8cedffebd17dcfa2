"""What lets sidecars find the backends: without it, a host that they do not know is refused."""

from typing import Any

from components.plan.egress_gateway import client_namespaces
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.listeners import Listener, backends_of, gateway_name, gateways_of, listeners_of
from components.plan.offers.proxies import proxy_labels
from components.settings import Settings


def offers(settings: Settings) -> dict[str, KubeObject]:
    """The backends' hostnames as hosts of the mesh, for which a Gateway's proxies answer; by Gateway.

    A TCP backend has no hostname: who wants it asks the Gateway's Service, which every sidecar knows. A Gateway of
    nothing else has no offer.
    """
    found = {name: _offer(settings, name) for name in sorted(gateways_of(settings))}
    return {name: offer for name, offer in found.items() if offer is not None}


def _offer(settings: Settings, gateway: str) -> KubeObject | None:
    offered = backends_of(settings, gateway)
    declared = {name: backend for name, backend in offered.items() if backend.hostnames is not None}
    if not declared:
        return None
    ports = {each.port: each for each in listeners_of(settings, gateway) if each.protocol != "TCP"}
    return KubeObject(
        api_version="networking.istio.io/v1",
        kind="ServiceEntry",
        name=gateway_name(gateway),
        namespace=settings.install.envoy_gateway.namespace,
        spec={
            "hosts": sorted({hostname for backend in declared.values() for hostname in backend.hostnames or ()}),
            "location": "MESH_EXTERNAL",
            "ports": [_port(ports[number]) for number in sorted(ports)],
            "resolution": "STATIC",
            "workloadSelector": {"labels": proxy_labels(settings, gateway)},
            "exportTo": [".", *client_namespaces(settings)],
        },
        annotations={DECLARATION: declaration(declared)},
    )


def _port(listener: Listener) -> dict[str, Any]:
    """One port, whichever of its listeners is asked: TLS is passed on by its SNI, whoever ends it."""
    plain = listener.protocol == "HTTP"
    return {
        "number": listener.port,
        "name": listener.name if plain else f"tls-{listener.port}",
        "protocol": "HTTP" if plain else "TLS",
        "targetPort": listener.pod_port,
    }
