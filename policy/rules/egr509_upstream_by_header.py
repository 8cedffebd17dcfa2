"""EGR509: a header of the request decides which address it goes to."""

from collections.abc import Iterable

from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.readers.routes import ENVOY_GATEWAY, REFERRING_KINDS, fields_named
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BACKEND_TRAFFIC_POLICY = f"{ENVOY_GATEWAY}/BackendTrafficPolicy"
_OVERRIDE = frozenset({"endpointOverride"})
_ACTIONS = ("set", "add", "addIfAbsent")
_DECISIVE = {
    "host": "the host, by which routes are chosen",
    ":authority": "the host, by which routes are chosen",
    "x-forwarded-for": "the client's address, by which clientCIDRs are judged",
}


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if subject.group_kind == CLIENT_TRAFFIC_POLICY:
        _judge_early_headers(reader, reader.field(spec, "headers", "earlyRequestHeaders"))
        return reader.findings
    # Wherever backends have settings, load balancers do: also where a policy calls a service of its own.
    found = [node for node in fields_named(spec, _OVERRIDE) if not is_empty(node)]
    return [Finding(path=node.path, message="lets the request name the endpoint that it goes to") for node in found]


def _judge_early_headers(reader: Reader, modifier: Node) -> None:
    for action in _ACTIONS:
        for header in reader.items(reader.field(modifier, action)):
            name = reader.field(header, "name")
            what = _DECISIVE.get((reader.text(name) or "").lower())
            if what is not None:
                reader.report(name, f"rewrites {what}")


RULE = ObjectRule(
    id="EGR509",
    name="upstream-by-header",
    severity=Severity.BLOCK,
    applies_to=REFERRING_KINDS | {_BACKEND_TRAFFIC_POLICY, CLIENT_TRAFFIC_POLICY},
    summary="No header of a request names the endpoint that it goes to, and none that routes or allowlists are decided "
    "by is rewritten before that.",
    why="With endpointOverride a client sends x-some-header: 10.0.0.5:8080, and the proxy prefers that endpoint. What "
    "was reviewed as one destination becomes a choice of the client.",
    remediation="leave out endpointOverride and rewrites of Host and X-Forwarded-For; for sticky sessions use "
    "consistentHash or sessionPersistence",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP}}
""",
    url="https://gateway.envoyproxy.io/docs/api/extension_types/#endpointoverride",
    source="envoyproxy/gateway: api/v1alpha1/loadbalancer_types.go, clienttrafficpolicy_types.go",
    check=_check,
)
