"""The pods in an object, whatever kind holds them: Deployments, CronJobs, the proxies of an EnvoyProxy."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.reading import Node, Reader, root
from policy.rule import Subject

ENVOY_PROXY = "gateway.envoyproxy.io/EnvoyProxy"
_POD = "core/Pod"
_CRON_JOB = "batch/CronJob"
_TEMPLATES = frozenset(
    {
        "apps/DaemonSet",
        "apps/Deployment",
        "apps/ReplicaSet",
        "apps/StatefulSet",
        "batch/Job",
        "core/ReplicationController",
        # The same shape in widespread extensions.
        "apps.kruise.io/CloneSet",
        "apps.kruise.io/DaemonSet",
        "apps.kruise.io/StatefulSet",
        "argoproj.io/Rollout",
    }
)
WORKLOAD_KINDS = _TEMPLATES | {_POD, _CRON_JOB}
"""The kinds whose pods somebody writes in full."""
POD_KINDS = WORKLOAD_KINDS | {ENVOY_PROXY}
"""The kinds that `pod_templates_of` knows."""
_ENVOY_WORKLOADS = ("envoyDeployment", "envoyDaemonSet")


@dataclass(frozen=True, kw_only=True, eq=False)
class PodTemplate:
    """A pod as an object asks for it."""

    metadata: Node
    """Its `labels` and `annotations`."""
    spec: Node
    """Its PodSpec, or the part of one that the object may set."""


def pod_templates_of(subject: Subject, reader: Reader) -> Iterator[PodTemplate]:
    """The pods in `subject`, of one of `POD_KINDS`; `reader` collects what cannot be read on the way there."""
    whole = root(subject.whole)
    kind = subject.group_kind
    if kind == _POD:
        yield _template(reader, whole)
    elif kind == _CRON_JOB:
        yield _template(reader, reader.field(whole, "spec", "jobTemplate", "spec", "template"))
    elif kind == ENVOY_PROXY:
        yield from _proxies(reader, reader.field(whole, "spec", "provider", "kubernetes"))
    elif kind in _TEMPLATES:
        yield _template(reader, reader.field(whole, "spec", "template"))


def _proxies(reader: Reader, kubernetes: Node) -> Iterator[PodTemplate]:
    """Envoy Gateway: shared_types.go, KubernetesPodSpec and KubernetesPatchSpec."""
    for key in _ENVOY_WORKLOADS:
        workload = reader.field(kubernetes, key)
        pod = reader.field(workload, "pod")
        yield PodTemplate(metadata=pod, spec=pod)
        yield _template(reader, reader.field(workload, "patch", "value", "spec", "template"))


def _template(reader: Reader, template: Node) -> PodTemplate:
    return PodTemplate(metadata=reader.field(template, "metadata"), spec=reader.field(template, "spec"))
