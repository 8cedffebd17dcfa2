"""EGR508: an allowlist of client addresses where nobody said how Envoy learns them."""

from collections.abc import Iterator

from policy.readers.authentication import SECURITY_POLICY, read_security_policy
from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.reading import Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_SAYS = ("clientIPDetection", "proxyProtocol", "enableProxyProtocol")


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    if any(subject.group_kind == CLIENT_TRAFFIC_POLICY and _says_how(subject) for subject in subjects):
        return
    for subject in subjects:
        if subject.group_kind != SECURITY_POLICY or _is_for_connections(subject):
            continue
        for block in read_security_policy(subject).allowed[:1]:
            message = "is compared with the address of whoever connects, and nothing in the stack says who that is"
            yield Finding(path=block.node.path, message=message, ref=subject.ref, origin=subject.origin)


def _says_how(subject: Subject) -> bool:
    spec = Reader().field(root(subject.whole), "spec")
    return any(not is_empty(Reader().field(spec, key)) for key in _SAYS)


def _is_for_connections(subject: Subject) -> bool:
    """Whether it is about TCPRoutes alone: those have no headers, so the address is that of the connection."""
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    old = reader.field(spec, "targetRef")
    targets = [old] if old.value is not None else reader.items(reader.field(spec, "targetRefs"))
    targets += reader.items(reader.field(spec, "targetSelectors"))
    return bool(targets) and all(reader.field(target, "kind").value == "TCPRoute" for target in targets)


RULE = StackRule(
    id="EGR508",
    name="client-ip-unclear",
    severity=Severity.WARN,
    applies_to=frozenset({SECURITY_POLICY, CLIENT_TRAFFIC_POLICY}),
    summary="Where a SecurityPolicy allows client addresses over HTTP, a ClientTrafficPolicy says how they are learnt.",
    why="Behind a load balancer every request comes from the balancer's address. An allowlist then shuts everybody "
    "out, or, once the balancer is on it, lets everybody in.",
    remediation="add a ClientTrafficPolicy for the Gateway with clientIPDetection (xForwardedFor with numTrustedHops "
    "or trustedCIDRs, or directSourceIP) or proxyProtocol",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/client-traffic-policy/",
    source="envoyproxy/gateway: api/v1alpha1/authorization_types.go, clienttrafficpolicy_types.go",
    check=_check,
)
