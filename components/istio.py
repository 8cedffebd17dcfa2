"""Istio's control plane, and the labels by which declared namespaces join the mesh."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.kube import Secrets, helm_release, namespace_labels
from components.plan.istio import IstioPlan


@dataclass(frozen=True, kw_only=True)
class IstioInstallArgs:
    """What to install, where, and with which credentials."""

    plan: IstioPlan
    namespace: pulumi.Resource
    secrets: Secrets


class IstioInstall(pulumi.ComponentResource):
    """CRDs, then every istiod, what runs on nodes, then the namespaces' labels: earlier pods would get no sidecar."""

    base: pulumi.Resource
    """Istio's CRDs."""
    istiods: Sequence[pulumi.Resource]
    """The control planes, ready: one, or two during an upgrade."""

    def __init__(self, name: str, args: IstioInstallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:mesh:IstioInstall", name, None, opts)
        self.base = helm_release(self, args.plan.base, args.secrets, [args.namespace])
        releases = [args.plan.istiod] if args.plan.canary is None else [args.plan.istiod, args.plan.canary]
        self.istiods = [helm_release(self, each, args.secrets, [self.base]) for each in releases]
        ready = [*self.istiods]
        for each in args.plan.node_agents:
            ready.append(helm_release(self, each, args.secrets, [*ready]))
        for namespace in args.plan.namespaces:
            namespace_labels(self, f"{name}-{namespace.name}", namespace, [*ready])
        self.register_outputs({})
