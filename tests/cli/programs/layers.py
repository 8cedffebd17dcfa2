"""A small program with what the preview must get right: nesting, secrets, unknown values, patches, releases."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes


class Inner(pulumi.ComponentResource):
    """Second level: its children have three types in their URNs."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("egress:test:Inner", name, None, opts)
        below = pulumi.ResourceOptions(parent=self)
        self.namespace = kubernetes.core.v1.Namespace("inner", metadata={"name": "inner"}, opts=below)
        self.secret = kubernetes.core.v1.Secret(
            "inner",
            metadata={"name": "inner", "namespace": self.namespace.metadata.name},
            string_data={"token": token, "other": pulumi.Output.secret("hunter2-in-the-program")},
            opts=below,
        )
        self.register_outputs({"namespace": self.namespace.metadata.name, "token": token})


class Outer(pulumi.ComponentResource):
    """First level."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("egress:test:Outer", name, None, opts)
        self.inner = Inner("inner", pulumi.ResourceOptions(parent=self))
        self.rule = kubernetes.apiextensions.CustomResource(
            "rule",
            api_version="networking.istio.io/v1",
            kind="ServiceEntry",
            metadata={
                "name": "rule",
                "namespace": "inner",
                "annotations": {"pulumi.com/skipAwait": "true", "uid": self.inner.namespace.id},
            },
            spec={"hosts": ["yes", "1e3"], "exportTo": ["."]},
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=True,
                aliases=[pulumi.Alias(name="old-rule")],
                custom_timeouts=pulumi.CustomTimeouts(create="1m30s"),
                depends_on=[self.inner],
            ),
        )
        self.register_outputs({})


settings: Any = pulumi.Config().require_object("cluster")
token = pulumi.Config().require_secret_object("secrets").apply(lambda values: values["token"])
provider = kubernetes.Provider("cluster", context="nowhere")
outer = Outer("outer", pulumi.ResourceOptions(provider=provider))
news = kubernetes.core.v1.NamespacePatch(
    "news",
    metadata={"name": "news", "labels": {"role": "client"}, "annotations": {"pulumi.com/patchForce": "true"}},
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[outer]),
)
chart = kubernetes.helm.v3.Release(
    "base",
    name="base",
    chart="oci://charts.example/base",
    version="1.2.3",
    namespace="inner",
    values={"a": {"b": True}},
    timeout=300,
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[outer.inner.namespace]),
)
pulumi.export("cluster", settings["name"])
pulumi.export("uid", outer.inner.namespace.id)
pulumi.export("handoff", {"token": token, "open": "shown"})
pulumi.log.warn("mind the gap")
