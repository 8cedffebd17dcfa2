"""What is told of traffic that leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import kube_object
from components.plan.observability import ObservabilityPlan


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """What to register, and what must be there first."""

    plan: ObservabilityPlan
    after: Sequence[pulumi.Resource]


class Observability(pulumi.ComponentResource):
    """Logs and traces of the gateways and their clients, logs of undeclared traffic in the whole mesh, alerts."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:observability:Observability", name, None, opts)
        for item in args.plan.mesh:
            kube_object(self, f"{name}-{item.name}", item, args.after)
        for item in args.plan.clients:
            kube_object(self, f"{name}-{item.namespace}-{item.name}", item, args.after)
        self.register_outputs({})
