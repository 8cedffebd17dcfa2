"""The egress gateways and everything that leads through them, whatever the flavour."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.groups import ClientGroup, entry_shards
from components.plan.istio import outbound_mode
from components.plan.mesh import authorization, destination_rules, gateway_api, istio_api
from components.plan.mesh.address import GatewayAddress, gateway_name
from components.plan.mesh.entries import service_entries
from components.plan.mesh.gateway_ports import GatewayPorts, gateway_ports
from components.plan.mesh.node_network import DeployedGateway, deployed_gateway
from components.plan.mesh.requests import others_of
from components.plan.mesh.sidecars import sidecars
from components.plan.mesh.tokens import request_authentication, token_headers
from components.plan.objects import KubeObject, Release
from components.plan.placement import placement
from components.plan.releases import release
from components.settings import Settings
from components.settings.egress import ExistingAddresses, FurtherGateway
from components.settings.reserved import LANES

_TELL_NOTHING: Final = {
    "gatewayTopology": {"forwardClientCertDetails": "SANITIZE"},
    "proxyHeaders": {"metadataExchangeHeaders": {"mode": "IN_MESH"}},
}
"""Proxy configuration: no header tells the outside the client's certificate, namespace or pod. By default they do."""


@dataclass(frozen=True, kw_only=True)
class ClientGroupPlan:
    """One client group's way out, in the order in which it opens."""

    listeners: tuple[KubeObject, ...]
    """Where the gateway listens for the group, and who may use that."""
    routes: tuple[KubeObject, ...]
    """Where requests go, and how whoever is last on the way connects."""
    service_entries: tuple[KubeObject, ...]
    """The hosts: clients know them once everything else is there."""


@dataclass(frozen=True, kw_only=True)
class EgressGatewayPlan:
    """The gateways' releases, and everything that leads through them."""

    namespace: str
    guards: tuple[KubeObject, ...]
    """What must hold before a gateway runs: nobody passes, tokens are checked."""
    releases: tuple[Release, ...]
    """The gateways in the cluster's network."""
    on_node_network: tuple[DeployedGateway, ...]
    """The others, which istiod deploys."""
    clients: tuple[KubeObject, ...]
    """What client namespaces' sidecars are told of outside hosts and gateways."""
    groups: tuple[ClientGroupPlan, ...]
    uses_gateway_api: bool
    """Whether `groups` have kinds of Gateway API, whose CRDs must be there first."""


def plan_egress_gateway(settings: Settings, groups: Sequence[ClientGroup], *, cluster_domain: str) -> EgressGatewayPlan:
    """The gateways for all client groups."""
    mesh = settings.egress.mesh
    enforced = settings.egress.posture == "enforce"
    issuers = mesh.issuers or {}
    places = {
        name: GatewayAddress(
            name=name,
            namespace=mesh.gateway.namespace,
            cluster_domain=cluster_domain,
            trust_domain=mesh.trust_domain,
        )
        for name in gateways_of(settings)
    }
    main = places[None]
    ports = {name: gateway_ports(group for group in groups if group.gateway == name) for name in places}
    by_port = mesh.flavour == "gateway-api"
    others = others_of(
        settings.destinations, {(flow.host, flow.port): flow for group in groups for flow in group.flows}
    )
    guards = [authorization.default_deny(main, enforced=enforced)]
    if enforced:  # a wrong token is refused, which `observe` never does
        guards += [item for at in places.values() if (item := request_authentication(at, issuers)) is not None]
    releases = [
        (at, _release(settings, at.name, gateways_of(settings)[at.name], open_ports(settings, groups, at.name)))
        for at in places.values()
    ]
    return EgressGatewayPlan(
        namespace=main.namespace,
        guards=tuple(guards),
        releases=tuple(each for at, each in releases if not gateways_of(settings)[at.name].host_network),
        on_node_network=tuple(
            deployed_gateway(at, each) for at, each in releases if gateways_of(settings)[at.name].host_network
        ),
        clients=tuple(_clients(settings, places, groups)),
        groups=tuple(
            _by_port(settings, places[group.gateway], group, ports[group.gateway], others)
            if by_port
            else _group(settings, places[group.gateway], group, others)
            for group in groups
        ),
        uses_gateway_api=by_port,
    )


def open_ports(settings: Settings, groups: Sequence[ClientGroup], gateway: str | None) -> list[tuple[str, int]]:
    """The ports on which a gateway's Service takes clients: name and number."""
    if settings.egress.mesh.flavour == "gateway-api":
        return gateway_ports(group for group in groups if group.gateway == gateway).named
    plain = [(f"http2-{port}", port) for port in plain_ports(settings, gateway)]
    return [*plain, *((f"tls-{lane}", lane) for lane in LANES)]


def gateways_of(settings: Settings) -> dict[str | None, FurtherGateway]:
    """Every egress gateway, by its name; `None` is egress.mesh.gateway."""
    return {None: settings.egress.mesh.gateway, **dict(sorted((settings.egress.mesh.gateways or {}).items()))}


def addresses_of(settings: Settings, gateway: FurtherGateway) -> ExistingAddresses:
    """What the outside sees as a gateway's source."""
    return settings.egress.addresses if gateway.addresses is None else gateway.addresses


def client_namespaces(settings: Settings) -> list[str]:
    """The namespaces of role `client`, sorted."""
    return sorted(name for name, each in settings.cluster.namespaces.items() if each.role == "client")


def direct_namespaces(settings: Settings) -> frozenset[str]:
    """The namespaces whose clients go without a gateway."""
    return frozenset(name for name in client_namespaces(settings) if outbound(settings, name) != "gateway")


def outbound(settings: Settings, namespace: str) -> str:
    """How a namespace's declared traffic leaves."""
    return settings.cluster.namespaces[namespace].outbound


def plain_ports(settings: Settings, gateway: str | None) -> list[int]:
    """A gateway's ports for HTTP and GRPC: those that clients call."""
    return sorted(
        {
            port.client_port
            for destination in settings.destinations.values()
            if destination.gateway == gateway
            for port in destination.ports.values()
            if port.is_http
        }
    )


def _clients(
    settings: Settings, places: dict[str | None, GatewayAddress], groups: Sequence[ClientGroup]
) -> list[KubeObject]:
    main = places[None]
    found: list[KubeObject] = []
    for namespace in client_namespaces(settings):
        mode = "ALLOW_ANY" if outbound(settings, namespace) == "allow-any" else outbound_mode(settings)
        found += sidecars(namespace, mode, groups, entries_in=main.namespace, cluster_domain=main.cluster_domain)
        for name, at in places.items():
            own = [group for group in groups if group.gateway == name]
            rule = (
                destination_rules.to_gateway_ports(at, namespace, own)
                if settings.egress.mesh.flavour == "gateway-api"
                else destination_rules.to_gateway(at, namespace, own)
            )
            if rule is not None:
                found.append(rule)
    shared = destination_rules.originate_tls(main, groups)
    return found if shared is None else [*found, shared]


def _group(
    settings: Settings,
    at: GatewayAddress,
    group: ClientGroup,
    others: Mapping[str, Flow],
) -> ClientGroupPlan:
    """The group by Istio's API."""
    own_headers = token_headers(settings.egress.mesh.issuers or {})
    listeners: list[KubeObject] = []
    routes = list(destination_rules.to_outside(at, group))
    if group.clients:
        doors = authorization.istio_api_doors(group)
        listeners += [istio_api.gateway(at, group), *_permissions(settings, at, group, doors)]
        routes += [istio_api.virtual_service(at, group, chunk, others, own_headers) for chunk in group.chunks]
    direct = [istio_api.direct_virtual_service(at, group, chunk, others, own_headers) for chunk in group.chunks]
    return ClientGroupPlan(
        listeners=tuple(listeners),
        routes=(*routes, *(route for route in direct if route is not None)),
        service_entries=tuple(service_entries(at, group, entry_shards(group), settings.destinations)),
    )


def _by_port(
    settings: Settings, at: GatewayAddress, group: ClientGroup, ports: GatewayPorts, others: Mapping[str, Flow]
) -> ClientGroupPlan:
    """The group by Gateway API. It has clients of one kind only: through the gateway, or without one."""
    own_headers = token_headers(settings.egress.mesh.issuers or {})
    entries = gateway_api.shards(group)
    listeners: list[KubeObject] = []
    routes = list(destination_rules.to_outside(at, group))
    if group.clients:
        doors = authorization.gateway_api_doors(group, ports)
        listeners += [*gateway_api.gateways(at, group, ports), *_permissions(settings, at, group, doors)]
        routes += gateway_api.to_outside(at, group, ports, others, own_headers)
        routes += gateway_api.to_gateway(at, group, entries, ports)
    else:
        routes += gateway_api.direct(at, group, entries, others, own_headers)
    return ClientGroupPlan(
        listeners=tuple(listeners),
        routes=tuple(routes),
        service_entries=tuple(service_entries(at, group, entries, settings.destinations)),
    )


def _permissions(
    settings: Settings, at: GatewayAddress, group: ClientGroup, doors: Sequence[authorization.Door]
) -> list[KubeObject]:
    enforced = settings.egress.posture == "enforce"
    allowed = authorization.allow(at, group, doors, settings.egress.mesh.issuers or {}, enforced=enforced)
    return [allowed, *(authorization.ask(at, group, doors) if enforced else ())]


def _release(
    settings: Settings, name: str | None, gateway: FurtherGateway, clients_call: Sequence[tuple[str, int]]
) -> Release:
    istio, labels = settings.install.istio, {"app": gateway_name(name), "istio": gateway_name(name)}
    ports = [("status-port", 15021), *clients_call]
    values: dict[str, Any] = {
        "labels": labels,
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
        **placement(settings, labels),
    }
    return release(
        settings,
        name=gateway_name(name),
        namespace=settings.egress.mesh.gateway.namespace,
        chart=istio.gateway,
        version=istio.version,
        values=values,
    )
