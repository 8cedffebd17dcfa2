"""What lets sidecars find the backends: without it, a host that they do not know is refused."""

from typing import Any

from components.plan.egress_gateway import client_namespaces
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.offers.listeners import Listener, gateway_name, gateway_of, gateways_of, listeners_of
from components.plan.offers.proxies import proxy_labels
from components.settings import Settings


def offers(settings: Settings) -> dict[str, KubeObject]:
    """The backends' hostnames as hosts of the mesh, for which a Gateway's proxies answer; by Gateway."""
    return {name: _offer(settings, name) for name in sorted(gateways_of(settings))}


def _offer(settings: Settings, gateway: str) -> KubeObject:
    declared = {name: backend for name, backend in (settings.backends or {}).items() if gateway_of(backend) == gateway}
    ports = {each.port: each for each in listeners_of(settings, gateway)}
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
    protocol = "TLS" if listener.protocol == "HTTPS" else listener.protocol
    return {"number": listener.port, "name": listener.name, "protocol": protocol, "targetPort": listener.pod_port}
