"""Ambient: egress gateways that are waypoints, what takes clients there, and everything that leads through them."""

import json
from collections.abc import Mapping, Sequence

from components.plan.client_groups import ClientGroupPlan, kept_inside
from components.plan.egress_gateway import EgressGatewayPlan, gateways_of, places_of
from components.plan.flows import Flow
from components.plan.gateway_pods import gateway_pods
from components.plan.groups import ClientGroup
from components.plan.mesh import ambient, destination_rules
from components.plan.mesh.address import GatewayAddress, gateway_labels
from components.plan.mesh.node_network import DeployedGateway
from components.plan.mesh.proxy import TELL_NOTHING
from components.plan.mesh.requests import others_of
from components.settings import Settings


def plan_waypoints(settings: Settings, groups: Sequence[ClientGroup], *, cluster_domain: str) -> EgressGatewayPlan:
    """The waypoints for all client groups.

    Client namespaces get no objects: there is no sidecar to tell of anything.
    """
    enforced = settings.egress.posture == "enforce"
    places = places_of(settings, cluster_domain=cluster_domain)
    others = others_of(settings.destinations, groups)
    tls = destination_rules.originate_tls(places[None], groups)
    return EgressGatewayPlan(
        namespace=settings.egress.mesh.gateway.namespace,
        guards=tuple(ambient.deny_at(at, enforced=enforced) for at in places.values()),
        releases=(),
        on_node_network=(),
        waypoints=tuple(_waypoint(settings, at) for at in places.values()),
        managed=(),
        clients=() if tls is None else (tls,),
        groups=tuple(_group(settings, places[group.gateway], group, others) for group in groups),
        uses_gateway_api=True,
    )


def _waypoint(settings: Settings, at: GatewayAddress) -> DeployedGateway:
    labels = gateway_labels(at.name)
    values = {
        "labels": labels,
        "podAnnotations": {"proxy.istio.io/config": json.dumps(TELL_NOTHING, sort_keys=True)},
        **gateway_pods(settings, gateways_of(settings)[at.name], labels),
    }
    return ambient.waypoint(at, values)


def _group(settings: Settings, at: GatewayAddress, group: ClientGroup, others: Mapping[str, Flow]) -> ClientGroupPlan:
    """A policy comes before the host that it is for: a host without one would be refused, and never open."""
    enforced = settings.egress.posture == "enforce"
    return ClientGroupPlan(
        listeners=tuple(ambient.allow(at, group, enforced=enforced)),
        routes=(
            *destination_rules.to_outside(at, group),
            *ambient.routes(at, group, others, kept_inside(settings), enforced=enforced),
        ),
        service_entries=tuple(ambient.entries(at, group, settings.destinations)),
    )
