"""EGR202: a mesh whose sidecars let every host out, because its configuration says so or says nothing."""

from collections.abc import Iterator

from policy.readers.mesh_config import MESH_CONFIG_KINDS, MeshConfig, mesh_configs_of, mesh_field
from policy.reading import Node, Reader, is_empty, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CLOSED = "REGISTRY_ONLY"
_OPEN = {
    "ALLOW_ANY": "'ALLOW_ANY' lets out every host that the mesh does not know",
    "ALLOW_ANY_DYNAMIC_DNS": "'ALLOW_ANY_DYNAMIC_DNS' connects wherever the client's Host header or SNI says",
}


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for mesh in mesh_configs_of(subject, reader):
        _judge(reader, mesh)
    yield from reader.findings


def _judge(reader: Reader, mesh: MeshConfig) -> None:
    if not is_empty(mesh.elsewhere):
        reader.report(mesh.elsewhere, "can change what is installed, and cannot be judged here")
    created = reader.field(mesh.values, "configMap")
    if reader.flag(created) is False:
        reader.report(created, "false leaves the mesh configuration to somebody else, or to Istio's defaults")
    modes = [_mode(reader, place) for place in mesh.places]
    for mode in modes:
        text = reader.text(mode)
        if text not in (None, _CLOSED):
            reader.report(mode, _OPEN.get(text, f"{shown(text)} is no known mode"))
    if mesh.is_istiods and all(mode.value is None for mode in modes) and not reader.findings:
        reader.report(modes[0], "is missing, and by default Istio lets every host out")


def _mode(reader: Reader, place: Node) -> Node:
    return reader.field(mesh_field(reader, place, "outboundTrafficPolicy"), "mode")


RULE = ObjectRule(
    id="EGR202",
    name="mesh-outbound-open",
    severity=Severity.BLOCK,
    applies_to=MESH_CONFIG_KINDS,
    lockdown=True,
    summary="The mesh configuration says REGISTRY_ONLY, in the object itself.",
    why="Istio's default is ALLOW_ANY: a sidecar then passes on whatever it does not know, and no declaration, "
    "gateway or log line is needed to leave the cluster.",
    remediation="set meshConfig.outboundTrafficPolicy.mode to REGISTRY_ONLY in the object's own values",
    example="""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: istiod, namespace: istio-system}
spec:
  chart: {spec: {chart: istiod, version: 1.31.0, sourceRef: {kind: HelmRepository, name: istio}}}
  values:
    meshConfig:
      outboundTrafficPolicy: {mode: REGISTRY_ONLY}
""",
    url="https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-OutboundTrafficPolicy",
    source="istio/api: mesh/v1alpha1/config.proto; istio/istio: pkg/config/mesh/mesh.go, "
    "manifests/charts/istio-control/istio-discovery/templates/configmap.yaml",
    check=_check,
)
