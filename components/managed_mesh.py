"""What the cluster gets where somebody else runs the mesh: members, and disruption budgets for the gateways."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import kube_object, namespace_labels
from components.plan.managed_mesh import ManagedMeshPlan


@dataclass(frozen=True, kw_only=True)
class ManagedMeshArgs:
    """What to register, and what must be there first."""

    plan: ManagedMeshPlan
    after: Sequence[pulumi.Resource]


class ManagedMesh(pulumi.ComponentResource):
    """The labels by which declared namespaces join the mesh, and what keeps its gateways from going all at once."""

    def __init__(self, name: str, args: ManagedMeshArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:mesh:ManagedMesh", name, None, opts)
        for member in args.plan.members:
            namespace_labels(self, f"{name}-{member.name}", member, args.after)
        for budget in args.plan.disruption_budgets:
            kube_object(self, f"{name}-{budget.name}", budget, args.after)
        self.register_outputs({})
