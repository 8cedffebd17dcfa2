"""The egress gateway, and every declared way through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi

from components.kube import Secrets, config_map, helm_release, kube_object
from components.plan.egress_gateway import EgressGatewayPlan
from components.plan.mesh.node_network import DeployedGateway
from components.plan.objects import KubeObject

_FOR_ALL_PODS: Final = "default"
"""The Sidecar for all pods of a namespace."""


@dataclass(frozen=True, kw_only=True)
class EgressGatewayArgs:
    """What to register, and what must be there first."""

    plan: EgressGatewayPlan
    secrets: Secrets
    after: Sequence[pulumi.Resource]
    kinds_from: Sequence[pulumi.Resource] = ()
    """What brings the CRDs of the groups' objects, where that is not Istio."""


class EgressGateway(pulumi.ComponentResource):
    """The gateway refuses everything before it runs; a host exists for clients once its whole way is there.

    So: deny by default, the gateway, then for each client group its listeners and permissions, its routes, and last
    its ServiceEntries. A destroy takes them away first.
    """

    gateways: list[pulumi.Resource]
    """The gateways, ready."""
    service_entries: Sequence[pulumi.Resource]
    """The declared hosts: the last that comes."""

    def __init__(self, name: str, args: EgressGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:mesh:EgressGateway", name, None, opts)
        plan = args.plan
        guards = [kube_object(self, f"{name}-{item.name}", item, args.after) for item in plan.guards]
        closed = [*args.after, *guards]
        self.gateways = [
            *(helm_release(self, each, args.secrets, closed) for each in plan.releases),
            *(kube_object(self, f"{name}-{each.name}", each, closed) for each in plan.managed),
            *(
                self._deployed(name, each, [*closed, *args.kinds_from])
                for each in (*plan.on_node_network, *plan.waypoints)
            ),
        ]
        ready = [*self.gateways, *args.kinds_from]
        clients = [kube_object(self, _logical_name(name, item, plan), item, self.gateways) for item in plan.clients]
        entries: list[pulumi.Resource] = []
        for group in plan.groups:
            listeners = [kube_object(self, f"{name}-{item.name}", item, ready) for item in group.listeners]
            way = listeners or ready
            routes = [kube_object(self, _logical_name(name, route, plan), route, way) for route in group.routes]
            entries += [
                kube_object(self, f"{name}-{entry.name}", entry, [*clients, *(routes or ready)])
                for entry in group.service_entries
            ]
        self.service_entries = entries
        self.register_outputs({})

    def _deployed(self, name: str, planned: DeployedGateway, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """A gateway that istiod deploys: what it patches its template with, then the Gateway."""
        parameters = config_map(self, f"{name}-{planned.parameters.name}", planned.parameters, after)
        return kube_object(self, f"{name}-{planned.gateway.name}", planned.gateway, [parameters])


def _logical_name(component: str, item: KubeObject, plan: EgressGatewayPlan) -> str:
    """The names of objects in other namespaces than the gateways' say which; a Sidecar is known by that alone.

    A dot stands between namespace and name, because neither holds one. Without it a namespace could be called like an
    object of the gateways; a Sidecar may go without, because theirs has none.
    """
    if item.namespace == plan.namespace:
        return f"{component}-{item.name}"
    return f"{component}-{item.namespace}" + ("" if item.name == _FOR_ALL_PODS else f".{item.name}")
