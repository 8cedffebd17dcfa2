"""EGR519: client certificates that are asked for, and not needed."""

from collections.abc import Iterable

from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY, REQUIRED_MODE
from policy.readers.listeners import GATEWAY
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_STRICT = "AllowValidOnly"  # gateway_types.go: FrontendValidationModeType


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if subject.group_kind == GATEWAY:
        frontend = reader.field(spec, "tls", "frontend")
        _judge_mode(reader, reader.field(frontend, "default", "validation", "mode"), _STRICT)
        for port in reader.items(reader.field(frontend, "perPort")):
            _judge_mode(reader, reader.field(port, "tls", "validation", "mode"), _STRICT)
        return reader.findings
    validation = reader.field(spec, "tls", "clientValidation")
    mode = reader.field(validation, "mode")
    _judge_mode(reader, mode, REQUIRED_MODE)
    said = [("allowExpiredCertificate", "true accepts certificates that have expired")]
    if mode.value is None:  # with a mode, the old field is not read (clienttrafficpolicy.go)
        said.append(("optional", "true lets in clients without a certificate"))
    for key, message in said:
        flag = reader.field(validation, key)
        if reader.flag(flag) is True:
            reader.report(flag, message)
    return reader.findings


def _judge_mode(reader: Reader, mode: Node, strict: str) -> None:
    text = reader.text(mode)
    if text is not None and text != strict:
        reader.report(mode, f"{shown(text)} lets in clients without a valid certificate")


RULE = ObjectRule(
    id="EGR519",
    name="client-certificate-optional",
    severity=Severity.BLOCK,
    applies_to=frozenset({CLIENT_TRAFFIC_POLICY, GATEWAY}),
    summary="Where a Gateway asks clients for a certificate, it insists on a valid one.",
    why="A listener that asks and goes on without looks like mutual TLS in every review. Clients without a "
    "certificate, or with one that nobody verified, come through.",
    remediation="leave optional and allowExpiredCertificate out and write mode: RequireAndVerify, or leave "
    "clientValidation out and authenticate clients with a SecurityPolicy",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  tls: {clientValidation: {mode: RequireAndVerify, caCertificateRefs: [{name: clients-ca}]}}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/mutual-tls/",
    source="envoyproxy/gateway: api/v1alpha1/tls_types.go; Gateway API: FrontendTLSValidation",
    check=_check,
)
