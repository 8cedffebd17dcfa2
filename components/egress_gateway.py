"""The egress gateway, and every declared way through it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import Secrets, helm_release, kube_object
from components.plan.egress_gateway import EgressGatewayPlan


@dataclass(frozen=True, kw_only=True)
class EgressGatewayArgs:
    """What to register, and what must be there first."""

    plan: EgressGatewayPlan
    secrets: Secrets
    after: Sequence[pulumi.Resource]


class EgressGateway(pulumi.ComponentResource):
    """The gateway refuses everything before it runs; a host exists for clients once its whole way is there.

    So: deny by default, the gateway, then for each client group its listeners and permissions, its routes, and last
    its ServiceEntries. A destroy takes them away first.
    """

    gateway: pulumi.Resource
    """The gateway, ready."""
    service_entries: Sequence[pulumi.Resource]
    """The declared hosts: the last that comes."""

    def __init__(self, name: str, args: EgressGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:mesh:EgressGateway", name, None, opts)
        plan = args.plan
        deny = kube_object(self, f"{name}-default-deny", plan.default_deny, args.after)
        self.gateway = helm_release(self, plan.release, args.secrets, [*args.after, deny])
        clients: list[pulumi.Resource] = []
        for client in plan.client_namespaces:
            own = f"{name}-{client.namespace}"
            clients.append(kube_object(self, own, client.sidecar, [self.gateway]))
            if client.destination_rule is not None:
                clients.append(kube_object(self, own, client.destination_rule, [self.gateway]))
        entries: list[pulumi.Resource] = []
        for group in plan.groups:
            listeners = [
                kube_object(self, f"{name}-{item.name}", item, [self.gateway])
                for item in (group.gateway, group.authorization)
            ]
            routes = [kube_object(self, f"{name}-{route.name}", route, listeners) for route in group.virtual_services]
            entries += [
                kube_object(self, f"{name}-{entry.name}", entry, [*clients, *routes]) for entry in group.service_entries
            ]
        self.service_entries = entries
        self.register_outputs({})
