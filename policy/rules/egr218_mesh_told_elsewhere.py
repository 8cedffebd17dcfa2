"""EGR218: a mesh that is told by another source than its object and the cluster, or whose objects are rewritten."""

from collections.abc import Iterator

from policy.readers.mesh_config import MESH_CONFIG_KINDS, mesh_configs_of, mesh_field
from policy.reading import Node, Reader, as_mapping, as_sequence, join, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ISTIO_OPERATOR = "install.istio.io/IstioOperator"
_CLUSTER = "k8s://"
_HARMLESS = frozenset({"HorizontalPodAutoscaler", "PodDisruptionBudget"})


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    # A mesh configuration that cannot be read is EGR202's finding.
    for mesh in mesh_configs_of(subject, Reader()):
        for place in mesh.places:
            if as_mapping(place.value) is not None:
                for source in reader.items(mesh_field(reader, place, "configSources")):
                    _judge_source(reader, source)
    if subject.group_kind == _ISTIO_OPERATOR:
        for component in _components(reader, reader.field(root(subject.whole), "spec", "components")):
            for overlay in reader.items(reader.field(component, "k8s", "overlays")):
                _judge_overlay(reader, overlay)
    yield from reader.findings


def _judge_source(reader: Reader, source: Node) -> None:
    address = reader.field(source, "address")
    found = len(reader.findings)
    text = reader.text(address)
    if len(reader.findings) == found and (text is None or not text.startswith(_CLUSTER)):
        what = "is missing" if text is None else f"{shown(text)} is not the cluster, and tells istiod what to do"
        reader.report(address, what)


def _components(reader: Reader, components: Node) -> Iterator[Node]:
    """Each component; gateways are lists of them."""
    for key, value in reader.mapping(components).items():
        component = Node(value=value, path=join(components.path, f"{key}"))
        if as_sequence(value) is not None:
            yield from reader.items(component)
        else:
            yield component


def _judge_overlay(reader: Reader, overlay: Node) -> None:
    kind = reader.field(overlay, "kind")
    found = len(reader.findings)
    text = reader.text(kind)
    if len(reader.findings) == found and text not in _HARMLESS:
        of_kind = "an object" if text is None else f"a {text}"
        reader.report(overlay, f"rewrites {of_kind} after it was rendered, which cannot be judged")


RULE = ObjectRule(
    id="EGR218",
    name="mesh-told-elsewhere",
    severity=Severity.BLOCK,
    applies_to=MESH_CONFIG_KINDS,
    summary="istiod takes its configuration from the cluster alone, and what its installation renders is not "
    "rewritten.",
    why="Whoever answers at another source of configuration writes ServiceEntries, routes and EnvoyFilters that no "
    "review and no rule ever sees. An overlay changes the ConfigMap or the webhook after all values were judged.",
    remediation="remove configSources, or leave k8s:// alone; write what an overlay changes as meshConfig or values",
    example="""\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig:
    outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    configSources: [{address: "k8s://"}]
""",
    url="https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ConfigSource",
    source="istio/istio: pilot/pkg/bootstrap/configcontroller.go, operator/pkg/render/postprocess.go; istio/api: "
    "mesh/v1alpha1/config.proto",
    check=_check,
)
