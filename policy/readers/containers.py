"""The containers of pods, whatever object holds them."""

from collections.abc import Iterator

from policy.readers.pods import ENVOY_PROXY, pod_templates_of
from policy.reading import Node, Reader, root
from policy.rule import Subject

_LISTS = ("containers", "initContainers", "ephemeralContainers")


def containers_of(subject: Subject, reader: Reader) -> Iterator[Node]:
    """The containers in `subject`, of one of `POD_KINDS`: its own, those that initialise, and those for debugging."""
    for template in pod_templates_of(subject, reader):
        for key in _LISTS:
            yield from reader.items(reader.field(template.spec, key))
    if subject.group_kind == ENVOY_PROXY:
        # envoyproxy/gateway: shared_types.go, KubernetesDeploymentSpec and KubernetesDaemonSetSpec.
        for key in ("envoyDeployment", "envoyDaemonSet"):
            workload = reader.field(root(subject.whole), "spec", "provider", "kubernetes", key)
            yield reader.field(workload, "container")
            yield from reader.items(reader.field(workload, "initContainers"))
