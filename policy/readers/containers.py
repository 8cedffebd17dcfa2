"""The containers of pods, whatever object holds them."""

from collections.abc import Iterator

from policy.readers.envoy_gateway_config import PROXY_KINDS
from policy.readers.pods import PodTemplate, pod_templates_of, proxy_workloads_of
from policy.reading import Node, Reader, as_mapping
from policy.rule import Subject

_LISTS = ("containers", "initContainers", "ephemeralContainers")


def containers_of(subject: Subject, reader: Reader) -> Iterator[Node]:
    """The containers in `subject`, of one of `POD_KINDS`: its own, those that initialise, and those for debugging.

    What cannot be read on the way to them is no finding here: EGR603 reports it.
    """
    for template in pod_templates_of(subject):
        yield from containers_in(template, reader)
    if subject.group_kind in PROXY_KINDS:
        for workload in proxy_workloads_of(subject, Reader()):
            if as_mapping(workload.value) is not None:
                yield reader.field(workload, "container")
                yield from reader.items(reader.field(workload, "initContainers"))


def containers_in(template: PodTemplate, reader: Reader) -> Iterator[Node]:
    """The containers of one pod, of all three kinds."""
    for key in _LISTS:
        yield from reader.items(reader.field(template.spec, key))
