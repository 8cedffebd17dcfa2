"""What is logged of traffic that leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import kube_object
from components.plan import KubeObject


@dataclass(frozen=True, kw_only=True)
class ObservabilityArgs:
    """The Telemetry objects, and what must be there first."""

    telemetry: Sequence[KubeObject]
    after: Sequence[pulumi.Resource]


class Observability(pulumi.ComponentResource):
    """Access logs of the gateway, and of undeclared traffic in the whole mesh."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:observability:Observability", name, None, opts)
        for telemetry in args.telemetry:
            kube_object(self, f"{name}-{telemetry.name}", telemetry, args.after)
        self.register_outputs({})
