"""NetworkPolicies: the layer that holds where the mesh is bypassed."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import kube_object
from components.plan import KubeObject


@dataclass(frozen=True, kw_only=True)
class NetworkLockdownArgs:
    """The policies, and what must be there first."""

    policies: Sequence[KubeObject]
    after: Sequence[pulumi.Resource]


class NetworkLockdown(pulumi.ComponentResource):
    """NetworkPolicies. For gateways it comes before their pods, for clients after their gateway."""

    policies: Sequence[pulumi.Resource]
    """The policies, in force."""

    def __init__(self, name: str, args: NetworkLockdownArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:network:NetworkLockdown", name, None, opts)
        self.policies = [
            kube_object(self, f"{name}-{policy.namespace}-{policy.name}", policy, args.after)
            for policy in args.policies
        ]
        self.register_outputs({})
