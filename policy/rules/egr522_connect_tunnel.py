"""EGR522: a proxy that opens tunnels for its clients."""

from collections.abc import Iterable

from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    for upgrade in reader.items(reader.field(root(subject.whole), "spec", "httpUpgrade")):
        terminate = reader.field(upgrade, "connect", "terminate")
        ends, kind = reader.flag(terminate), reader.text(reader.field(upgrade, "type"))
        if ends is True and (kind or "").upper() == "CONNECT":
            reader.report(terminate, "true makes of CONNECT a tunnel for any bytes")
    return reader.findings


RULE = ObjectRule(
    id="EGR522",
    name="connect-tunnel",
    severity=Severity.BLOCK,
    applies_to=frozenset({"gateway.envoyproxy.io/BackendTrafficPolicy"}),
    summary="Proxies do not end CONNECT and pass on what is inside.",
    why="What a client sends after CONNECT goes to the Backend as it is: no path, header or body of it is seen by "
    "routes, rate limits, authorization or logs. With a DynamicResolver it goes anywhere.",
    remediation="leave connect.terminate out, or offer the service with a TCPRoute",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  httpUpgrade: [{type: websocket}]
""",
    url="https://gateway.envoyproxy.io/docs/api/extension_types/#connectconfig",
    source="envoyproxy/gateway: api/v1alpha1/backendtrafficpolicy_types.go; RFC 9110, section 9.3.6",
    check=_check,
)
