"""The pods in an object, whatever kind holds them: Deployments, CronJobs, the proxies of an EnvoyProxy."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.readers.envoy_gateway_config import (
    CONFIG_MAP,
    ENVOY_PROXY,
    PROXY_KINDS,
    proxy_specs_of,
    readable_configurations_of,
)
from policy.readers.gateway_parameters import parameters_of
from policy.reading import Node, Reader, as_mapping, root
from policy.rule import Subject

_POD = "core/Pod"
_POD_TEMPLATE = "core/PodTemplate"
_CRON_JOB = "batch/CronJob"
_ADVANCED_CRON_JOB = "apps.kruise.io/AdvancedCronJob"
_SIDECAR_SET = "apps.kruise.io/SidecarSet"
_PODS = frozenset({_POD, _SIDECAR_SET, "serving.knative.dev/Revision"})
"""Those whose own spec is a PodSpec, or a part of one."""
_TEMPLATES = frozenset(
    {
        "apps/DaemonSet",
        "apps/Deployment",
        "apps/ReplicaSet",
        "apps/StatefulSet",
        "batch/Job",
        "core/ReplicationController",
        # The same shape in widespread extensions.
        "apps.kruise.io/BroadcastJob",
        "apps.kruise.io/CloneSet",
        "apps.kruise.io/DaemonSet",
        "apps.kruise.io/StatefulSet",
        "apps.openshift.io/DeploymentConfig",
        "argoproj.io/Rollout",
        "serving.knative.dev/Configuration",
        "serving.knative.dev/Service",
        # Where they were before they came to the group apps.
        "extensions/DaemonSet",
        "extensions/Deployment",
        "extensions/ReplicaSet",
    }
)
WORKLOAD_KINDS = _TEMPLATES | _PODS | {_POD_TEMPLATE, _CRON_JOB, _ADVANCED_CRON_JOB}
"""The kinds whose pods somebody writes in full, or adds containers to."""
CLUSTER_WORKLOAD_KINDS = frozenset({_SIDECAR_SET})
"""Those of them that have no namespace."""
POD_KINDS = WORKLOAD_KINDS | PROXY_KINDS
"""The kinds that `pod_templates_of` knows."""
_ENVOY_WORKLOADS = ("envoyDeployment", "envoyDaemonSet")


@dataclass(frozen=True, kw_only=True, eq=False)
class PodTemplate:
    """A pod as an object asks for it."""

    metadata: Node
    """Its `labels` and `annotations`."""
    spec: Node
    """Its PodSpec, or the part of one that the object may set."""


def pod_templates_of(subject: Subject, reader: Reader | None = None) -> Iterator[PodTemplate]:
    """The pods in `subject`, of one of `POD_KINDS`.

    Args:
        subject: the object.
        reader: collects what cannot be read on the way to a PodSpec, and the spec itself. One rule, EGR603, asks for
            that; without a reader a pod whose spec cannot be read is left out, so that one defect is one finding.
    """
    own = Reader() if reader is None else reader
    for template in _templates(subject, own):
        if reader is not None or template.spec.value is None or as_mapping(template.spec.value) is not None:
            yield template


def _templates(subject: Subject, reader: Reader) -> Iterator[PodTemplate]:
    whole = root(subject.whole)
    kind = subject.group_kind
    if kind in _PODS:
        yield _template(reader, whole)
    elif kind == _POD_TEMPLATE:
        yield _template(reader, reader.field(whole, "template"))
    elif kind == _CRON_JOB:
        yield _template(reader, reader.field(whole, "spec", "jobTemplate", "spec", "template"))
    elif kind == _ADVANCED_CRON_JOB:
        yield _template(reader, reader.field(whole, "spec", "template", "jobTemplate", "spec", "template"))
    elif kind in PROXY_KINDS:
        deployment = parameters_of(subject, "deployment", reader) if kind == CONFIG_MAP else None
        if deployment is not None:
            yield _template(reader, reader.field(deployment, "spec", "template"))
        for workload in proxy_workloads_of(subject, reader):
            yield from _of_workload(reader, workload)
    elif kind in _TEMPLATES:
        yield _template(reader, reader.field(whole, "spec", "template"))


def proxy_workloads_of(subject: Subject, reader: Reader) -> Iterator[Node]:
    """What Envoy Gateway deploys for `subject`, of one of `PROXY_KINDS`: proxies, and its rate limit service.

    Envoy Gateway: shared_types.go, KubernetesDeploymentSpec and KubernetesDaemonSetSpec.
    """
    for spec in proxy_specs_of(subject, reader):
        for key in _ENVOY_WORKLOADS:
            yield reader.field(spec, "provider", "kubernetes", key)
    if subject.group_kind != ENVOY_PROXY:
        for configuration in readable_configurations_of(subject):
            yield reader.field(configuration, "provider", "kubernetes", "rateLimitDeployment")


def _of_workload(reader: Reader, workload: Node) -> Iterator[PodTemplate]:
    """Envoy Gateway: shared_types.go, KubernetesPodSpec and KubernetesPatchSpec."""
    pod = reader.field(workload, "pod")
    yield PodTemplate(metadata=pod, spec=pod)
    yield _template(reader, reader.field(workload, "patch", "value", "spec", "template"))


def _template(reader: Reader, template: Node) -> PodTemplate:
    return PodTemplate(metadata=reader.field(template, "metadata"), spec=reader.field(template, "spec"))
