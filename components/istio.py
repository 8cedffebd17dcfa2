"""Istio's control plane, and the labels by which declared namespaces join the mesh."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.kube import Secrets, helm_release
from components.plan.istio import IstioPlan


@dataclass(frozen=True, kw_only=True)
class IstioInstallArgs:
    """What to install, where, and with which credentials."""

    plan: IstioPlan
    namespace: pulumi.Resource
    secrets: Secrets


class IstioInstall(pulumi.ComponentResource):
    """CRDs, then istiod, then the namespaces' labels: a pod that starts before istiod gets no sidecar."""

    base: pulumi.Resource
    """Istio's CRDs."""
    istiod: pulumi.Resource
    """The control plane, ready."""

    def __init__(self, name: str, args: IstioInstallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("egress:mesh:IstioInstall", name, None, opts)
        self.base = helm_release(self, args.plan.base, args.secrets, [args.namespace])
        self.istiod = helm_release(self, args.plan.istiod, args.secrets, [self.base])
        for namespace in args.plan.namespaces:
            # The namespace exists and is not ours: a patch adds our labels, and takes only them away again.
            kubernetes.core.v1.NamespacePatch(
                f"{name}-{namespace.name}",
                metadata={"name": namespace.name, "labels": dict(namespace.labels)},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self.istiod]),
            )
        self.register_outputs({})
