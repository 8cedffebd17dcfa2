"""Each client group's way out, by the flavour's API, in the order in which it opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.plan.flows import Flow
from components.plan.groups import ClientGroup, entry_shards
from components.plan.mesh import authorization, destination_rules, gateway_api, istio_api
from components.plan.mesh.address import GatewayAddress
from components.plan.mesh.entries import service_entries
from components.plan.mesh.gateway_ports import GatewayPorts
from components.plan.mesh.telemetry import TRACE_HEADERS
from components.plan.mesh.tokens import token_headers
from components.plan.objects import KubeObject
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ClientGroupPlan:
    """One client group's way out, in the order in which it opens."""

    listeners: tuple[KubeObject, ...]
    """Where the gateway listens for the group, and who may use that."""
    routes: tuple[KubeObject, ...]
    """Where requests go, and how whoever is last on the way connects."""
    service_entries: tuple[KubeObject, ...]
    """The hosts: clients know them once everything else is there."""


def by_istio_api(
    settings: Settings, at: GatewayAddress, group: ClientGroup, others: Mapping[str, Flow]
) -> ClientGroupPlan:
    """The group by Istio's API: its outer SNIs tell it from others."""
    enforced = settings.egress.posture == "enforce"
    headers = kept_inside(settings)
    listeners: list[KubeObject] = []
    routes = list(destination_rules.to_outside(at, group))
    if group.clients:
        doors = authorization.istio_api_doors(group)
        listeners += [istio_api.gateway(at, group, enforced=enforced), *_permissions(settings, at, group, doors)]
        routes += [
            istio_api.virtual_service(at, group, chunk, others, headers, enforced=enforced) for chunk in group.chunks
        ]
    for chunk in group.chunks:
        routes += istio_api.direct_virtual_services(at, group, chunk, others, headers)
    return ClientGroupPlan(
        listeners=tuple(listeners),
        routes=tuple(routes),
        service_entries=tuple(service_entries(at, group, entry_shards(group), settings.destinations)),
    )


def by_gateway_api(
    settings: Settings, at: GatewayAddress, group: ClientGroup, ports: GatewayPorts, others: Mapping[str, Flow]
) -> ClientGroupPlan:
    """The group by Gateway API: ports of its own tell it from others.

    It has clients of one kind only: through the gateway, or without one.
    """
    headers = kept_inside(settings)
    entries = gateway_api.shards(group)
    listeners: list[KubeObject] = []
    routes = list(destination_rules.to_outside(at, group))
    if group.clients:
        doors = authorization.gateway_api_doors(group, ports)
        listeners += [*gateway_api.gateways(at, group, ports), *_permissions(settings, at, group, doors)]
        routes += gateway_api.to_outside(at, group, ports, others, headers)
        routes += gateway_api.to_gateway(at, group, entries, ports)
        tcp = {flow: ports.of(group, flow) for flow in group.flows if flow.protocol == "TCP"}
        if tcp:
            enforced = settings.egress.posture == "enforce"
            listeners.append(istio_api.tcp_gateway(at, group, tcp, enforced=enforced))
            routes.append(istio_api.tcp_virtual_service(at, group, tcp))
    else:
        routes += gateway_api.direct(at, group, entries, others, headers)
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


def kept_inside(settings: Settings) -> tuple[str, ...]:
    """Headers that are for the gateway: tokens, and those by which it continues a trace."""
    mesh = settings.egress.mesh
    return (*token_headers(mesh.issuers or {}), *(() if mesh.tracing is None else TRACE_HEADERS))
