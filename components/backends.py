"""Services that are offered, inside the cluster or at its edge."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import kube_object, rights
from components.plan.objects import KubeObject
from components.plan.offers import BackendsPlan, OfferedBackend


@dataclass(frozen=True, kw_only=True)
class ExternalBackendsArgs:
    """What to register, and what must be there first."""

    plan: BackendsPlan
    mesh: pulumi.ProviderResource
    """Where the mesh's own objects are: the offers are some."""
    after: Sequence[pulumi.Resource]


class ExternalBackends(pulumi.ComponentResource):
    """What the API server refuses, each backend with its policies and routes, and the hosts by which sidecars find it.

    A route comes after the policies that say who may use it, and goes before them: it is never open in between.
    """

    def __init__(self, name: str, args: ExternalBackendsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:north-south:ExternalBackends", name, None, opts)
        self._name = name
        # They wait for nothing: a policy may speak of kinds that the cluster does not have yet.
        policies = [(each, self._object(each.policy, ())) for each in args.plan.admission]
        in_force = [self._object(each.binding, [policy]) for each, policy in policies]
        rights(self, f"{name}-rights", args.plan.rights, args.after)
        grants = [self._object(each, args.after) for each in args.plan.grants]
        after = [*args.after, *in_force, *grants]
        targets = {
            key: [self._object(target, after) for target in each.targets] for key, each in args.plan.backends.items()
        }
        routes: list[pulumi.Resource] = []
        for key, each in args.plan.backends.items():
            referred = [target for other in (key, *each.shared_with) for target in targets[other]]
            routes += self._backend(each, referred or after)
        for offer in args.plan.offers:
            kube_object(self, f"{name}-{offer.name}", offer, routes, provider=args.mesh)
        self.register_outputs({})

    def _backend(self, plan: OfferedBackend, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Its policies, step by step, then its routes."""
        ready = after
        for step in plan.policies:
            ready = [self._object(each, ready) for each in step] or ready
        return [self._object(each, ready) for each in plan.routes]

    def _object(self, planned: KubeObject, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
        return kube_object(self, f"{self._name}-{planned.name}", planned, after)
