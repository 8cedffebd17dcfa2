"""EGR105: TLS that accepts any certificate protects from nobody who is on the way."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BACKEND_TLS_POLICY = "gateway.networking.k8s.io/BackendTLSPolicy"
_DESTINATION_RULE = "networking.istio.io/DestinationRule"


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if subject.group_kind == BACKEND:
        _judge_backend(reader, reader.field(spec, "tls"))
    elif subject.group_kind == _BACKEND_TLS_POLICY:
        _judge_authorities(reader, reader.field(spec, "validation"))
    else:
        _judge_traffic_policy(reader, reader.field(spec, "trafficPolicy"))
        for subset in reader.items(reader.field(spec, "subsets")):
            _judge_traffic_policy(reader, reader.field(subset, "trafficPolicy"))
    yield from reader.findings


def _judge_backend(reader: Reader, tls: Node) -> None:
    _judge_skip(reader, tls)
    if tls.value is not None:
        _judge_authorities(reader, tls)


def _judge_traffic_policy(reader: Reader, policy: Node) -> None:
    _judge_skip(reader, reader.field(policy, "tls"))
    for port in reader.items(reader.field(policy, "portLevelSettings")):
        _judge_skip(reader, reader.field(port, "tls"))


def _judge_skip(reader: Reader, tls: Node) -> None:
    skip = reader.field(tls, "insecureSkipVerify")
    if reader.flag(skip) is True:
        reader.report(skip, "true accepts any certificate")


def _judge_authorities(reader: Reader, tls: Node) -> None:
    well_known = reader.text(reader.field(tls, "wellKnownCACertificates"))
    references = reader.field(tls, "caCertificateRefs")
    reader.items(references)
    if not well_known and is_empty(references) and not reader.findings:
        reader.report(tls, "names no certificate authority")


RULE = ObjectRule(
    id="EGR105",
    name="tls-verification-off",
    severity=Severity.BLOCK,
    applies_to=frozenset({BACKEND, _BACKEND_TLS_POLICY, _DESTINATION_RULE}),
    summary="TLS to the outside verifies the certificate.",
    why="Without verification anybody on the way can answer in the service's place and read what is sent to it.",
    remediation="name the authority: wellKnownCACertificates: System, or caCertificateRefs to a ConfigMap with the CA",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: billing, namespace: apps}
spec:
  endpoints:
    - fqdn: {hostname: billing.example.com, port: 443}
  tls:
    wellKnownCACertificates: System
    sni: billing.example.com
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/backend-skip-tls-verification/",
    source="envoyproxy/gateway: api/v1alpha1/backend_types.go; istio/api: networking/v1/destination_rule.proto",
    check=_check,
)
