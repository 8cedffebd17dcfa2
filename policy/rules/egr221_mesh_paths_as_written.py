"""EGR221: a mesh whose proxies judge paths as the client wrote them."""

from collections.abc import Iterator

from policy.readers.mesh_config import MESH_CONFIG_KINDS, mesh_configs_of, mesh_field
from policy.reading import Node, Reader, as_mapping, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_RESOLVED = frozenset({"DEFAULT", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"})


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    # A mesh configuration that cannot be read is EGR202's finding.
    for mesh in mesh_configs_of(subject, Reader()):
        for place in mesh.places:
            if as_mapping(place.value) is not None:
                _judge(reader, mesh_field(reader, place, "pathNormalization"))
    yield from reader.findings


def _judge(reader: Reader, paths: Node) -> None:
    normalization = reader.field(paths, "normalization")
    text = reader.text(normalization)
    if text == "NONE":
        reader.report(normalization, "'NONE' lets /public/../admin pass where only /public/* is allowed")
    elif text is not None and text not in _RESOLVED:
        reader.report(normalization, f"{shown(text)} is no known normalization")


RULE = ObjectRule(
    id="EGR221",
    name="mesh-paths-as-written",
    severity=Severity.BLOCK,
    applies_to=MESH_CONFIG_KINDS,
    summary="Proxies resolve `..` in paths before routes and AuthorizationPolicies compare them.",
    why="A policy that allows some paths compares what the client wrote; the service behind reads another path, "
    "which nobody has allowed.",
    remediation="leave meshConfig.pathNormalization out, or set normalization to BASE or more",
    example="""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: istiod, namespace: istio-system}
spec:
  chart: {spec: {chart: istiod, version: 1.31.0, sourceRef: {kind: HelmRepository, name: istio}}}
  values:
    meshConfig:
      outboundTrafficPolicy: {mode: REGISTRY_ONLY}
      pathNormalization: {normalization: BASE}
""",
    url="https://istio.io/latest/docs/ops/best-practices/security/#customize-your-system-on-path-normalization",
    source="istio/api: mesh/v1alpha1/config.proto (ProxyPathNormalization); istio/istio: "
    "pilot/pkg/networking/core/listener_builder.go",
    check=_check,
)
