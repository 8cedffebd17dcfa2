"""The namespaces of ours, for the control planes and gateways: created and deleted with the stack."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from components.plan.objects import MANAGED_BY


class OwnNamespaces(pulumi.ComponentResource):
    """Namespaces that nothing but this stack uses, once `after` is there. `each` gives them by name."""

    each: Mapping[str, pulumi.Resource]

    def __init__(
        self,
        name: str,
        namespaces: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("egress:platform:OwnNamespaces", name, None, opts)
        self.each = {
            namespace: kubernetes.core.v1.Namespace(
                f"{name}-{namespace}",
                metadata={"name": namespace, "labels": dict(MANAGED_BY)},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*after]),
            )
            for namespace in namespaces
        }
        self.register_outputs({})
