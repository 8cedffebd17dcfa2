"""EGR216: a server of the mesh whose TLS lets in clients that it should refuse."""

from collections.abc import Iterator

from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_GATEWAY = "networking.istio.io/Gateway"
_SIDECAR = "networking.istio.io/Sidecar"
_MODES = frozenset({"PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"})
_OLD = frozenset({"TLSV1_0", "TLSV1_1"})
_CURRENT = frozenset({"TLS_AUTO", "TLSV1_2", "TLSV1_3"})  # TLS_AUTO begins with TLS 1.2


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    servers = "servers" if subject.group_kind == _GATEWAY else "ingress"
    for server in reader.items(reader.field(root(subject.whole), "spec", servers)):
        _judge(reader, reader.field(server, "tls"))
    yield from reader.findings


def _judge(reader: Reader, tls: Node) -> None:
    mode = reader.field(tls, "mode")
    text = reader.text(mode)
    if text is not None and text not in _MODES:
        reader.report(mode, f"{shown(text)} is no known mode")
    version = reader.field(tls, "minProtocolVersion")
    text = reader.text(version)
    if text in _OLD:
        reader.report(version, f"{shown(text)} is broken (RFC 8996)")
    elif text is not None and text not in _CURRENT:
        reader.report(version, f"{shown(text)} is no known version")
    skip = reader.field(tls, "insecureSkipVerify")
    if reader.flag(skip) is True:
        reader.report(skip, "true lets in clients whose certificate is not valid")


RULE = ObjectRule(
    id="EGR216",
    name="gateway-tls-weak",
    severity=Severity.BLOCK,
    applies_to=frozenset({_GATEWAY, _SIDECAR}),
    summary="Servers of the mesh speak TLS 1.2 or later, and refuse client certificates that are not valid.",
    why="A client certificate that is asked for and not checked names nobody, and TLS 1.0 and 1.1 can be read on the "
    "way.",
    remediation="leave minProtocolVersion out or set TLSV1_2 or TLSV1_3, and leave insecureSkipVerify out",
    example="""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: news, namespace: istio-egress}
spec:
  selector: {istio: egress-gateway}
  servers:
    - port: {number: 443, name: tls, protocol: TLS}
      hosts: [edition.cnn.com]
      tls: {mode: ISTIO_MUTUAL}
""",
    url="https://istio.io/latest/docs/reference/config/networking/gateway/#ServerTLSSettings",
    source="istio/api: networking/v1alpha3/gateway.proto; RFC 8996",
    check=_check,
)
