"""EGR207: plain text accepted beside mutual TLS. A warning: it is Istio's default, and needed while pods join."""

from collections.abc import Iterator

from policy.reading import Node, Reader, join, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    # What cannot be read is EGR205's finding.
    reader, scratch = Reader(), Reader()
    spec = scratch.field(root(subject.whole), "spec")
    ports = scratch.field(spec, "portLevelMtls")
    modes = [scratch.field(spec, "mtls", "mode")]
    for key, value in scratch.mapping(ports).items():
        modes.append(scratch.field(Node(value=value, path=join(ports.path, f"{key}")), "mode"))
    for mode in modes:
        if mode.value == "PERMISSIVE":
            reader.report(mode, "'PERMISSIVE' also takes plain text, from anybody")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR207",
    name="mesh-mtls-permissive",
    severity=Severity.WARN,
    applies_to=frozenset({"security.istio.io/PeerAuthentication"}),
    summary="PeerAuthentication asks for mutual TLS.",
    why="PERMISSIVE lets pods without a sidecar in, without a certificate. It is meant for the time in which the pods "
    "of a namespace join the mesh, and tends to stay.",
    remediation="set mode: STRICT once every client has a sidecar",
    example="""\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: news}
spec:
  mtls: {mode: STRICT}
""",
    url="https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/",
    source="istio/api: security/v1beta1/peer_authentication.proto",
    check=_check,
)
