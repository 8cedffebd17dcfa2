"""Services outside the cluster, offered inside it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import kube_object
from components.plan.backends import BackendsPlan


@dataclass(frozen=True, kw_only=True)
class ExternalBackendsArgs:
    """What to register, and what must be there first."""

    plan: BackendsPlan
    mesh: pulumi.ProviderResource
    """Where the mesh's own objects are: the offer is one."""
    after: Sequence[pulumi.Resource]


class ExternalBackends(pulumi.ComponentResource):
    """What the API server refuses, a Backend, the route that leads to it, and the hosts by which sidecars find them."""

    def __init__(self, name: str, args: ExternalBackendsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:north-south:ExternalBackends", name, None, opts)
        # They wait for nothing: a policy may speak of kinds that the cluster does not have yet.
        policies = [
            (each, kube_object(self, f"{name}-{each.policy.name}", each.policy, ())) for each in args.plan.admission
        ]
        in_force = [
            kube_object(self, f"{name}-{each.binding.name}", each.binding, [policy]) for each, policy in policies
        ]
        backends = {
            backend.name: kube_object(self, f"{name}-{backend.name}", backend, [*args.after, *in_force])
            for backend in args.plan.backends
        }
        routes = [
            kube_object(self, f"{name}-{route.name}", route, [backends[route.name]]) for route in args.plan.routes
        ]
        kube_object(self, f"{name}-offer", args.plan.offer, routes, provider=args.mesh)
        self.register_outputs({})
