"""EGR528: headers that the proxy and the service behind it read differently."""

from collections.abc import Iterable

from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    action = reader.field(root(subject.whole), "spec", "headers", "withUnderscoresAction")
    if reader.text(action) == "Allow":
        reader.report(action, "Allow lets x_user pass where x-user is set or removed")
    return reader.findings


RULE = ObjectRule(
    id="EGR528",
    name="header-ambiguous",
    severity=Severity.WARN,
    applies_to=frozenset({CLIENT_TRAFFIC_POLICY}),
    summary="Headers with underscores are refused or dropped.",
    why="Many servers make no difference between x_user and x-user (CGI, WSGI, PHP). What the proxy sets about a "
    "client that it checked, the client then writes itself, with the other character.",
    remediation="leave withUnderscoresAction out, or write RejectRequest or DropHeader",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  headers: {withUnderscoresAction: RejectRequest}
""",
    url="https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge",
    source="envoyproxy/gateway: api/v1alpha1/clienttrafficpolicy_types.go; Envoy: edge best practices",
    check=_check,
)
