"""The Services in an object: a Service itself, or the one that Envoy Gateway makes for an EnvoyProxy."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.readers.pods import ENVOY_PROXY
from policy.reading import Node, Reader, root
from policy.rule import Subject

SERVICE = "core/Service"
SERVICE_KINDS = frozenset({SERVICE, ENVOY_PROXY})
"""The kinds that `service_templates_of` knows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceTemplate:
    """A Service as an object asks for it."""

    metadata: Node
    """Its `annotations`."""
    spec: Node
    """Its ServiceSpec, or the part of one that the object may set."""


def service_templates_of(subject: Subject, reader: Reader) -> Iterator[ServiceTemplate]:
    """The Services in `subject`, of one of `SERVICE_KINDS`."""
    whole = root(subject.whole)
    if subject.group_kind == SERVICE:
        yield _template(reader, whole)
        return
    # envoyproxy/gateway: api/v1alpha1/shared_types.go, KubernetesServiceSpec and KubernetesPatchSpec.
    service = reader.field(whole, "spec", "provider", "kubernetes", "envoyService")
    yield ServiceTemplate(metadata=service, spec=service)
    yield _template(reader, reader.field(service, "patch", "value"))


def _template(reader: Reader, service: Node) -> ServiceTemplate:
    return ServiceTemplate(metadata=reader.field(service, "metadata"), spec=reader.field(service, "spec"))
