"""Registers the plan's objects and releases with Pulumi; the only module that knows both."""

from collections.abc import Mapping, Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as kubernetes

from components.plan import KubeObject, NamespaceLabels, Release
from components.plan.objects import ConfigMap, Rights

_RBAC: Final = "rbac.authorization.k8s.io"
Secrets = Mapping[str, pulumi.Output[str]]
"""The stack's secrets, by name."""

_RELEASE_TIMEOUT: Final = 600
"""Seconds for a chart's pods to become ready: istiod and Envoy Gateway pull large images."""


def kube_object(
    component: pulumi.ComponentResource,
    name: str,
    planned: KubeObject,
    after: Sequence[pulumi.Resource],
    *,
    provider: pulumi.ProviderResource | None = None,
) -> pulumi.Resource:
    """Register one object as a child of `component`, once everything in `after` is there.

    Without a `provider` of its own it goes where the component goes.
    """
    return kubernetes.apiextensions.CustomResource(
        name,
        api_version=planned.api_version,
        kind=planned.kind,
        metadata=planned.metadata,
        spec=planned.spec,
        opts=pulumi.ResourceOptions(parent=component, provider=provider, depends_on=list(after)),
    )


def namespace_labels(
    component: pulumi.ComponentResource, name: str, planned: NamespaceLabels, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Register labels for a namespace as a child of `component`, once everything in `after` is there.

    The namespace exists and is not ours: a patch adds our labels, and takes only them away again.
    """
    return kubernetes.core.v1.NamespacePatch(
        name,
        metadata={"name": planned.name, "labels": dict(planned.labels)},
        opts=pulumi.ResourceOptions(parent=component, depends_on=list(after)),
    )


def config_map(
    component: pulumi.ComponentResource, name: str, planned: ConfigMap, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Register one ConfigMap as a child of `component`, once everything in `after` is there."""
    return kubernetes.core.v1.ConfigMap(
        name,
        metadata=kubernetes.meta.v1.ObjectMetaArgs(**planned.metadata),
        data=dict(planned.data),
        opts=pulumi.ResourceOptions(parent=component, depends_on=list(after)),
    )


def rights(
    component: pulumi.ComponentResource, name: str, planned: Rights, after: Sequence[pulumi.Resource]
) -> pulumi.Resource:
    """Register a Role and its RoleBinding as children of `component`, once everything in `after` is there."""
    rbac = kubernetes.rbac.v1
    metadata = kubernetes.meta.v1.ObjectMetaArgs(**planned.metadata)
    role = rbac.Role(
        f"{name}-role",
        metadata=metadata,
        rules=[
            rbac.PolicyRuleArgs(api_groups=[group], resources=list(resources), verbs=list(planned.verbs))
            for group, resources in sorted(planned.resources.items())
        ],
        opts=pulumi.ResourceOptions(parent=component, depends_on=list(after)),
    )
    return rbac.RoleBinding(
        f"{name}-binding",
        metadata=metadata,
        role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=planned.name),
        subjects=[
            rbac.SubjectArgs(
                kind=holder.kind,
                name=holder.name,
                namespace=holder.namespace,
                api_group=_RBAC if holder.namespace is None else None,
            )
            for holder in planned.holders
        ],
        opts=pulumi.ResourceOptions(parent=component, depends_on=[role]),
    )


def helm_release(
    component: pulumi.ComponentResource,
    planned: Release,
    secrets: Secrets,
    after: Sequence[pulumi.Resource],
) -> pulumi.Resource:
    """Register one Helm release as a child of `component`, once everything in `after` is there.

    `helm.v3.Release`, because `helm.v4.Chart` runs no hooks, and Envoy Gateway's certificates come from one.
    """
    registry = None
    if planned.username is not None and planned.password_secret is not None:
        registry = kubernetes.helm.v3.RepositoryOptsArgs(
            username=planned.username, password=secrets[planned.password_secret]
        )
    return kubernetes.helm.v3.Release(
        planned.name,
        name=planned.name,
        namespace=planned.namespace,
        chart=planned.chart,
        version=planned.version if planned.chart.startswith("oci://") else None,
        values=dict(planned.values),
        # Said where there are some, so that the README of the manifests can upgrade them.
        skip_crds=False if planned.crds else None,
        repository_opts=registry,
        timeout=_RELEASE_TIMEOUT,
        opts=pulumi.ResourceOptions(parent=component, depends_on=list(after)),
    )
