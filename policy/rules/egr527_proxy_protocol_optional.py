"""EGR527: a listener where every client may say for itself which address it has."""

from collections.abc import Iterable

from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    optional = reader.field(root(subject.whole), "spec", "proxyProtocol", "optional")
    if reader.flag(optional) is True:
        reader.report(optional, "true takes clients with and without the header, so each of them may write its own")
    return reader.findings


RULE = ObjectRule(
    id="EGR527",
    name="proxy-protocol-optional",
    severity=Severity.BLOCK,
    applies_to=frozenset({CLIENT_TRAFFIC_POLICY}),
    summary="Where the PROXY protocol says who a client is, every connection has it.",
    why="That it is optional means that clients come past the load balancer as well, and those write the header "
    "themselves: any address, also one that clientCIDRs let in. The protocol's specification forbids it.",
    remediation="leave optional out, and let only the load balancer reach the listener",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  proxyProtocol: {}
""",
    url="https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt",
    source="envoyproxy/gateway: api/v1alpha1/clienttrafficpolicy_types.go; The PROXY protocol, section 2",
    check=_check,
)
