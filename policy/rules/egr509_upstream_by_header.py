"""EGR509: a header of the request decides which address it goes to."""

from collections.abc import Iterable, Iterator, Mapping

from policy.facts.headers import CREDENTIAL_HEADERS
from policy.readers.authentication import SECURITY_POLICY
from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.readers.routes import ENVOY_GATEWAY, REFERRING_KINDS, fields_named
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BACKEND_TRAFFIC_POLICY = f"{ENVOY_GATEWAY}/BackendTrafficPolicy"
_OVERRIDE = frozenset({"endpointOverride"})
_ACTIONS = ("set", "add", "addIfAbsent")
_HOST = "the host, by which routes are chosen"
_HOST_HEADERS = {"host": _HOST, ":authority": _HOST}
_DECISIVE = {
    **_HOST_HEADERS,
    **dict.fromkeys(CREDENTIAL_HEADERS - {"set-cookie"}, "what a client is let in by"),
    "x-forwarded-client-cert": "the client's certificate, by which services know it",
    "x-forwarded-for": "the client's address, by which clientCIDRs are judged",
}


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if subject.group_kind == CLIENT_TRAFFIC_POLICY:
        _judge_early_headers(reader, reader.field(spec, "headers", "earlyRequestHeaders"))
        return reader.findings
    if subject.group_kind == SECURITY_POLICY:
        for header in _told_headers(reader, spec):
            _judge_header(reader, header, _HOST_HEADERS)
    # Wherever backends have settings, load balancers do: also where a policy calls a service of its own.
    found = [node for node in fields_named(spec, _OVERRIDE) if not is_empty(node)]
    for node in found:
        reader.report(node, "lets the request name the endpoint that it goes to")
    return reader.findings


def _told_headers(reader: Reader, spec: Node) -> Iterator[Node]:
    """The headers in which a SecurityPolicy tells the service what it learnt of the client."""
    # What cannot be read of the rest of a policy is EGR506's finding.
    scratch = Reader()
    for provider in scratch.items(scratch.field(spec, "jwt", "providers")):
        for claim in reader.items(scratch.field(provider, "claimToHeaders")):
            yield reader.field(claim, "header")
    yield scratch.field(spec, "apiKeyAuth", "forwardClientIDHeader")
    yield scratch.field(spec, "basicAuth", "forwardUsernameHeader")
    yield scratch.field(spec, "oidc", "forwardIDToken", "header")
    yield from reader.items(scratch.field(spec, "extAuth", "http", "headersToBackend"))


def _judge_early_headers(reader: Reader, modifier: Node) -> None:
    for action in _ACTIONS:
        for header in reader.items(reader.field(modifier, action)):
            _judge_header(reader, reader.field(header, "name"), _DECISIVE)


def _judge_header(reader: Reader, name: Node, decisive: Mapping[str, str]) -> None:
    what = decisive.get((reader.text(name) or "").lower())
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
    "was reviewed as one destination becomes a choice of the client. An early header with a token lets everybody in.",
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
