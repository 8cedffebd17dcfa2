"""The egress gateways and everything that leads through them, whatever the flavour."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.plan.flows import Flow
from components.plan.gateway_pods import gateway_pods
from components.plan.groups import ClientGroup
from components.plan.mesh import authorization, destination_rules, istio_api
from components.plan.mesh.address import GatewayAddress, gateway_name
from components.plan.mesh.entries import service_entries
from components.plan.mesh.proxy import TELL_NOTHING
from components.plan.mesh.requests import others_of
from components.plan.mesh.sidecars import sidecars
from components.plan.mesh.telemetry import TRACE_HEADERS
from components.plan.mesh.tokens import request_authentication, token_headers
from components.plan.mesh_config import outbound_mode
from components.plan.objects import KubeObject, Release
from components.plan.releases import release
from components.plan.revisions import CANARY, gateway_version, is_canary
from components.settings import Settings
from components.settings.egress import ExistingAddresses, FurtherGateway
from components.settings.reserved import LANES


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
    """The gateways, and everything that leads through them."""

    namespace: str
    guards: tuple[KubeObject, ...]
    """What must hold before a gateway runs: nobody passes, tokens are checked."""
    releases: tuple[Release, ...]
    gateways: tuple[KubeObject, ...]
    """The same, where a controller makes the gateways from objects."""
    clients: tuple[KubeObject, ...]
    """What client namespaces' sidecars are told of outside hosts and gateways."""
    groups: tuple[ClientGroupPlan, ...]


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
    others = others_of(
        settings.destinations, {(flow.host, flow.port): flow for group in groups for flow in group.flows}
    )
    guards = [authorization.default_deny(main, enforced=enforced)]
    if enforced:  # a wrong token is refused, which `observe` never does
        guards += [item for at in places.values() if (item := request_authentication(at, issuers)) is not None]
    return EgressGatewayPlan(
        namespace=main.namespace,
        guards=tuple(guards),
        releases=tuple(_release(settings, at.name, gateways_of(settings)[at.name]) for at in places.values()),
        gateways=(),
        clients=tuple(_clients(settings, places, groups)),
        groups=tuple(
            _group(settings, places[group.gateway], group, others, _kept_inside(settings)) for group in groups
        ),
    )


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
            rule = destination_rules.to_gateway(at, namespace, own)
            if rule is not None:
                found.append(rule)
    shared = destination_rules.originate_tls(main, groups)
    return found if shared is None else [*found, shared]


def _group(
    settings: Settings,
    at: GatewayAddress,
    group: ClientGroup,
    others: dict[str, Flow],
    kept_inside: tuple[str, ...],
) -> ClientGroupPlan:
    enforced = settings.egress.posture == "enforce"
    listeners: list[KubeObject] = []
    routes = list(destination_rules.to_outside(at, group))
    if group.clients:
        doors = authorization.istio_api_doors(group)
        issuers = settings.egress.mesh.issuers or {}
        listeners += [
            istio_api.gateway(at, group, enforced=enforced),
            authorization.allow(at, group, doors, issuers, enforced=enforced),
        ]
        listeners += authorization.ask(at, group, doors) if enforced else ()
        routes += [
            istio_api.virtual_service(at, group, chunk, others, kept_inside, enforced=enforced)
            for chunk in group.chunks
        ]
    direct = [istio_api.direct_virtual_service(at, group, chunk, others, kept_inside) for chunk in group.chunks]
    return ClientGroupPlan(
        listeners=tuple(listeners),
        routes=(*routes, *(route for route in direct if route is not None)),
        service_entries=tuple(service_entries(at, group, settings.destinations)),
    )


def _kept_inside(settings: Settings) -> tuple[str, ...]:
    """Headers that are for the gateway: tokens, and those by which it continues a trace."""
    mesh = settings.egress.mesh
    return (*token_headers(mesh.issuers or {}), *(() if mesh.tracing is None else TRACE_HEADERS))


def _release(settings: Settings, name: str | None, gateway: FurtherGateway) -> Release:
    istio, labels = settings.install.istio, {"app": gateway_name(name), "istio": gateway_name(name)}
    ports = [("status-port", 15021), *((f"http2-{port}", port) for port in plain_ports(settings, name))]
    ports += [(f"tls-{lane}", lane) for lane in LANES]
    values: dict[str, Any] = {
        "labels": labels,
        "podAnnotations": {"proxy.istio.io/config": json.dumps(TELL_NOTHING, sort_keys=True)},
        "service": {
            "type": "ClusterIP",
            **({"ipFamilyPolicy": "PreferDualStack"} if len(settings.cluster.ip_families) > 1 else {}),
            # Only clients' sidecars learn of the gateway's ports.
            "annotations": {"networking.istio.io/exportTo": ",".join([".", *client_namespaces(settings)])},
            "ports": [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in ports],
        },
        **gateway_pods(settings, gateway, labels),
    }
    if is_canary(settings, name):
        values["revision"] = CANARY
    return release(
        settings,
        name=gateway_name(name),
        namespace=settings.egress.mesh.gateway.namespace,
        chart=istio.gateway,
        version=gateway_version(settings, name),
        values=values,
    )
