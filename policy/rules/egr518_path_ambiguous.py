"""EGR518: paths that the proxy and the service behind it read differently."""

from collections.abc import Iterable

from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    path = reader.field(reader.field(root(subject.whole), "spec"), "path")
    action, keeps = reader.field(path, "escapedSlashesAction"), reader.field(path, "disableMergeSlashes")
    if reader.text(action) == "KeepUnchanged":
        reader.report(action, "KeepUnchanged lets /a%2Fb pass where /a/b is guarded")
    if reader.flag(keeps) is True:
        reader.report(keeps, "true lets /a//b pass where /a/b is guarded")
    return reader.findings


RULE = ObjectRule(
    id="EGR518",
    name="path-ambiguous",
    severity=Severity.WARN,
    applies_to=frozenset({CLIENT_TRAFFIC_POLICY}),
    summary="Escaped and doubled slashes in paths are resolved or refused before routes and rules see them.",
    why="Routes and authorization by path compare what the client wrote. What the service reads as the guarded path "
    "may then be written so that no rule matches it.",
    remediation="leave path.escapedSlashesAction and path.disableMergeSlashes out, or write RejectRequest",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  path: {escapedSlashesAction: RejectRequest}
""",
    url="https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge",
    source="envoyproxy/gateway: api/v1alpha1/pathsettings_types.go; Envoy: edge best practices",
    check=_check,
)
