"""EGR780: a managed mesh whose sidecars let out to whatever nobody declared."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import SERVICE_MESH
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_DECLARED: Final = "REGISTRY_ONLY"
_EVERYTHING: Final = "*"


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    told = Reader()
    mesh = told.field(root(subject.whole), "meshConfig")
    outbound, captured = told.field(mesh, "outboundTrafficPolicy"), told.field(mesh, "includeIpRanges")
    if outbound.value in (None, ""):
        told.report(outbound, "is missing, which means ALLOW_ANY")
    elif isinstance(outbound.value, str) and outbound.value != _DECLARED:
        told.report(outbound, f"{shown(outbound.value)} lets out to what nobody declared")
    if isinstance(captured.value, str) and captured.value not in ("", _EVERYTHING):
        told.report(captured, f"{shown(captured.value)}: what goes elsewhere never comes to a sidecar")
    # What else cannot be read, EGR700 says.
    yield from (finding for finding in told.findings if finding.path in (outbound.path, captured.path))


RULE = ObjectRule(
    id="EGR780",
    name="managed-mesh-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({SERVICE_MESH}),
    lockdown=True,
    summary="A mesh of Service Mesh (ASM) lets out to declared hosts only, and captures traffic to all addresses.",
    why="It is the mesh's word about everything without a ServiceEntry: with ALLOW_ANY a sidecar passes it on, and "
    "what it does not capture it cannot stop.",
    remediation="write meshConfig.outboundTrafficPolicy: REGISTRY_ONLY, and leave includeIpRanges out",
    example="""\
type: alicloud:servicemesh/serviceMesh:ServiceMesh
urn: mesh
inputs:
  network: {vpcId: vpc-1, vswitcheList: vsw-9}
  meshConfig: {outboundTrafficPolicy: REGISTRY_ONLY}
""",
    url="https://www.alibabacloud.com/help/en/asm/user-guide/use-an-egress-traffic-policy-to-manage-egress-traffic",
    source="pulumi-alicloud 3.105.0: meshConfig; ASM, API 2020-01-11: CreateServiceMesh, UpdateMeshFeature; Istio: "
    "MeshConfig, outboundTrafficPolicy",
    check=_check,
)
