"""EGR211: a VirtualService that takes over the traffic of every pod to hosts that nobody answers for together."""

from collections.abc import Iterator

from policy.facts.addresses import is_address
from policy.readers.mesh_hosts import too_many
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_MESH = "mesh"  # every sidecar; also the default


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    gateways = [reader.text(item) for item in reader.items(reader.field(spec, "gateways"))]
    if not gateways or _MESH in gateways:
        for host in reader.items(reader.field(spec, "hosts")):
            _judge(reader, host, context)
    yield from reader.findings


def _judge(reader: Reader, host: Node, context: Context) -> None:
    text = reader.text(host)
    if text is None or is_address(text):
        return
    try:
        wrong = too_many(text, context)
    except ValueError:
        reader.report(host, f"{shown(text)} is not a host name in its plain form")
        return
    if wrong is not None:
        reader.report(host, f"{shown(text)} {wrong}")


RULE = ObjectRule(
    id="EGR211",
    name="virtual-service-catch-all",
    severity=Severity.BLOCK,
    applies_to=frozenset({"networking.istio.io/VirtualService"}),
    summary="A VirtualService for the sidecars names hosts that have one owner.",
    why="It decides for every sidecar that sees it where these hosts lead. One for every host, a whole registry or "
    "every Service takes the traffic of others, unnoticed, to where its author wants it.",
    remediation="name each host, or a wildcard below a registered domain; bind what serves a gateway to that gateway "
    "alone",
    example="""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: edition-cnn, namespace: istio-egress}
spec:
  hosts: [edition.cnn.com]
  gateways: [mesh]
  exportTo: [".", news]
  tls:
    - match: [{port: 443, sniHosts: [edition.cnn.com]}]
      route: [{destination: {host: egress-gateway.istio-egress.svc.cluster.local, port: {number: 443}}}]
""",
    url="https://istio.io/latest/docs/reference/config/networking/virtual-service/",
    source="istio/api: networking/v1alpha3/virtual_service.proto; the Public Suffix List",
    check=_check,
)
