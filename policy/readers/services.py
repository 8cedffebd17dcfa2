"""The Services in an object: a Service itself, or the one that Envoy Gateway makes for an EnvoyProxy."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.readers.envoy_gateway_config import CONFIG_MAP, PROXY_KINDS, proxy_specs_of
from policy.readers.gateway_parameters import parameters_of
from policy.reading import Node, Reader, as_mapping, root
from policy.rule import Subject

SERVICE = "core/Service"
SERVICE_KINDS = PROXY_KINDS | {SERVICE}
"""The kinds that `service_templates_of` knows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceTemplate:
    """A Service as an object asks for it."""

    metadata: Node
    """Its `annotations`."""
    spec: Node
    """Its ServiceSpec, or the part of one that the object may set."""


def service_templates_of(subject: Subject, reader: Reader) -> Iterator[ServiceTemplate]:
    """The Services in `subject`, of one of `SERVICE_KINDS`.

    One whose spec cannot be read has no findings here: EGR100 reports it of a Service, EGR603 of an EnvoyProxy.
    """
    whole = root(subject.whole)
    spec = Reader().field(whole, "spec").value
    if spec is not None and as_mapping(spec) is None:
        return
    if subject.group_kind == SERVICE:
        yield _template(reader, whole)
        return
    parameters = parameters_of(subject, "service", Reader()) if subject.group_kind == CONFIG_MAP else None
    if parameters is not None:
        yield _template(reader, parameters)
    # envoyproxy/gateway: api/v1alpha1/shared_types.go, KubernetesServiceSpec and KubernetesPatchSpec.
    for proxy in proxy_specs_of(subject, reader):
        service = reader.field(proxy, "provider", "kubernetes", "envoyService")
        yield ServiceTemplate(metadata=service, spec=service)
        yield _template(reader, reader.field(service, "patch", "value"))


def _template(reader: Reader, service: Node) -> ServiceTemplate:
    return ServiceTemplate(metadata=reader.field(service, "metadata"), spec=reader.field(service, "spec"))
