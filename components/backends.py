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
    after: Sequence[pulumi.Resource]


class ExternalBackends(pulumi.ComponentResource):
    """A Backend, then the route that leads to it, then the hosts by which sidecars find them all."""

    def __init__(self, name: str, args: ExternalBackendsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:north-south:ExternalBackends", name, None, opts)
        backends = {
            backend.name: kube_object(self, f"{name}-{backend.name}", backend, args.after)
            for backend in args.plan.backends
        }
        routes = [
            kube_object(self, f"{name}-{route.name}", route, [backends[route.name]]) for route in args.plan.routes
        ]
        kube_object(self, f"{name}-offer", args.plan.offer, routes)
        self.register_outputs({})
