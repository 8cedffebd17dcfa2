"""Services that are offered, inside the cluster or at its edge."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import kube_object, rights
from components.plan.objects import KubeObject
from components.plan.offers import BackendsPlan, OfferedBackend
from components.settings.reserved import DEFAULT_GATEWAY


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
        routes = [route for each in args.plan.backends.values() for route in self._backend(each, after)]
        for gateway, offer in args.plan.offers.items():
            which = "" if gateway == DEFAULT_GATEWAY else f"-{gateway}"
            kube_object(self, f"{name}-offer{which}", offer, routes, provider=args.mesh)
        self.register_outputs({})

    def _backend(self, plan: OfferedBackend, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        ready = [self._object(each, after) for each in (*plan.targets, *plan.policies)]
        return [self._object(each, ready) for each in plan.routes]

    def _object(self, planned: KubeObject, after: Sequence[pulumi.Resource]) -> pulumi.Resource:
        return kube_object(self, f"{self._name}-{planned.name}", planned, after)
