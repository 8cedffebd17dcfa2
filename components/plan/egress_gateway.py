"""The egress gateway and everything that leads through it, for the Istio API flavour."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.plan import routes
from components.plan.groups import ClientGroup
from components.plan.istio import outbound_mode
from components.plan.objects import KubeObject, Release
from components.plan.placement import placement
from components.plan.releases import release
from components.settings import Settings
from components.settings.reserved import LANES

_TELL_NOTHING: Final = {
    "gatewayTopology": {"forwardClientCertDetails": "SANITIZE"},
    "proxyHeaders": {"metadataExchangeHeaders": {"mode": "IN_MESH"}},
}
"""Proxy configuration: no header tells the outside the client's certificate, namespace or pod. By default they do."""


@dataclass(frozen=True, kw_only=True)
class ClientNamespacePlan:
    """What a client namespace's sidecars are told."""

    namespace: str
    sidecar: KubeObject
    destination_rule: KubeObject | None
    """How to talk to the gateway; `None` where the namespace has no destination."""


@dataclass(frozen=True, kw_only=True)
class ClientGroupPlan:
    """One client group's way through the gateway."""

    gateway: KubeObject
    authorization: KubeObject
    virtual_services: tuple[KubeObject, ...]
    service_entries: tuple[KubeObject, ...]


@dataclass(frozen=True, kw_only=True)
class EgressGatewayPlan:
    """The gateway's release, and everything that leads through it."""

    namespace: str
    release: Release
    default_deny: KubeObject
    client_namespaces: tuple[ClientNamespacePlan, ...]
    groups: tuple[ClientGroupPlan, ...]


def plan_egress_gateway(settings: Settings, groups: Sequence[ClientGroup], *, cluster_domain: str) -> EgressGatewayPlan:
    """The gateway for all client groups."""
    namespace = settings.egress.mesh.gateway.namespace
    at = routes.GatewayAddress(
        namespace=namespace, cluster_domain=cluster_domain, trust_domain=settings.egress.mesh.trust_domain
    )
    enforced = settings.egress.posture == "enforce"
    return EgressGatewayPlan(
        namespace=namespace,
        release=_release(settings),
        default_deny=routes.default_deny(at, enforced=enforced),
        client_namespaces=tuple(
            ClientNamespacePlan(
                namespace=client,
                sidecar=routes.sidecar(client, outbound_mode(settings)),
                destination_rule=routes.destination_rule(at, client, groups),
            )
            for client in client_namespaces(settings)
        ),
        groups=tuple(
            ClientGroupPlan(
                gateway=routes.gateway(at, group),
                authorization=routes.authorization_policy(at, group, enforced=enforced),
                virtual_services=tuple(routes.virtual_service(at, group, chunk) for chunk in group.chunks),
                service_entries=tuple(routes.service_entries(at, group, settings.destinations)),
            )
            for group in groups
        ),
    )


def client_namespaces(settings: Settings) -> list[str]:
    """The namespaces of role `client`, sorted."""
    return sorted(name for name, each in settings.cluster.namespaces.items() if each.role == "client")


def plain_ports(settings: Settings) -> list[int]:
    """The gateway's ports for HTTP and GRPC: the same numbers as outside."""
    return sorted(
        {
            port.port
            for destination in settings.destinations.values()
            for port in destination.ports.values()
            if port.protocol != "TLS"
        }
    )


def _release(settings: Settings) -> Release:
    istio, gateway = settings.install.istio, settings.egress.mesh.gateway
    ports = [("status-port", 15021), *((f"http2-{port}", port) for port in plain_ports(settings))]
    ports += [(f"tls-{lane}", lane) for lane in LANES]
    return release(
        settings,
        name=routes.GATEWAY,
        namespace=gateway.namespace,
        chart=istio.gateway,
        version=istio.version,
        values={
            "labels": routes.GATEWAY_LABELS,
            "podAnnotations": {"proxy.istio.io/config": json.dumps(_TELL_NOTHING, sort_keys=True)},
            "service": {
                "type": "ClusterIP",
                # Only clients' sidecars learn of the gateway's ports.
                "annotations": {"networking.istio.io/exportTo": ",".join([".", *client_namespaces(settings)])},
                "ports": [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in ports],
            },
            "autoscaling": {"enabled": False},
            "replicaCount": gateway.replicas,
            "podDisruptionBudget": {"maxUnavailable": 1},
            **placement(settings, routes.GATEWAY_LABELS),
        },
    )
