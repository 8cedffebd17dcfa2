"""EGR204: values of istiod that keep part of the outbound traffic away from the sidecars."""

from collections.abc import Iterator

from policy.readers.mesh_config import MESH_CONFIG_KINDS, mesh_configs_of
from policy.reading import Node, Reader, is_empty, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_EVERYTHING = "*"
_EXCLUDES = ("excludeIPRanges", "excludeOutboundPorts")


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    # What cannot be read on the way to the values is EGR202's finding.
    for mesh in mesh_configs_of(subject, Reader()):
        _judge_capture(reader, reader.field(mesh.values, "global", "proxy"))
        _judge_injection(reader, mesh.values)
    yield from reader.findings


def _judge_capture(reader: Reader, proxy: Node) -> None:
    included = reader.field(proxy, "includeIPRanges")
    text = reader.text(included)
    if text not in (None, _EVERYTHING):
        reader.report(included, f"{shown(text)} sends everything else past the sidecar")
    for key in _EXCLUDES:
        excluded = reader.field(proxy, key)
        text = reader.text(excluded)
        if text not in (None, ""):
            reader.report(excluded, f"{shown(text)} goes past the sidecar")


def _judge_injection(reader: Reader, values: Node) -> None:
    policy = reader.field(values, "global", "proxy", "autoInject")
    text = reader.text(policy)
    if text not in (None, "enabled"):
        reader.report(policy, f"{shown(text)} leaves pods without a sidecar")
    never = reader.field(values, "sidecarInjectorWebhook", "neverInjectSelector")
    reader.items(never)
    if not is_empty(never):
        reader.report(never, "leaves the pods that it selects without a sidecar")


RULE = ObjectRule(
    id="EGR204",
    name="mesh-capture-narrowed",
    severity=Severity.BLOCK,
    applies_to=MESH_CONFIG_KINDS,
    lockdown=True,
    summary="By default every pod of the mesh has a sidecar, and all its outbound traffic goes through it.",
    why="What the sidecar never sees it can neither refuse nor log: excluded ranges and ports leave the pod directly, "
    "for every pod of the mesh at once.",
    remediation="leave global.proxy.includeIPRanges at '*', exclude nothing, and keep injection on; declare the "
    "destination instead",
    example="""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: istiod, namespace: istio-system}
spec:
  chart: {spec: {chart: istiod, version: 1.31.0, sourceRef: {kind: HelmRepository, name: istio}}}
  values:
    meshConfig:
      outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    global:
      proxy: {includeIPRanges: "*", excludeIPRanges: "", excludeOutboundPorts: ""}
""",
    url="https://istio.io/latest/docs/ops/best-practices/security/#understand-traffic-capture-limitations",
    source="istio/istio: manifests/charts/istio-control/istio-discovery: values.yaml, files/injection-template.yaml",
    check=_check,
)
