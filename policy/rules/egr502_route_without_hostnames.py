"""EGR502: a route to an outside service that answers for every host."""

from collections.abc import Iterable

from policy.facts.names import is_public_suffix
from policy.readers.routes import NAMED_ROUTE_KINDS, read_route
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_WILDCARD = "*."


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    if not read_route(subject).leads_to_backend:
        return []
    hostnames = reader.field(root(subject.whole), "spec", "hostnames")
    if is_empty(hostnames):
        reader.report(hostnames, "names no host, so the route answers for all of its listeners' hosts")
    for hostname in reader.items(hostnames):
        _judge(reader, hostname)
    return reader.findings


def _judge(reader: Reader, hostname: Node) -> None:
    text = reader.text(hostname)
    if hostname.value is None or text in ("", "*"):
        reader.report(hostname, "is every host")
    elif text is not None and text.startswith(_WILDCARD) and is_public_suffix(text.removeprefix(_WILDCARD).lower()):
        reader.report(hostname, f"{text} is every host under a public suffix")


RULE = ObjectRule(
    id="EGR502",
    name="route-without-hostnames",
    severity=Severity.BLOCK,
    applies_to=NAMED_ROUTE_KINDS,
    summary="A route that leads to a Backend names its hosts.",
    why="Without host names the route takes every request of its listeners that no other route takes: what was meant "
    "for another service leaves the cluster, with its cookies and tokens. Where the Backend sets no SNI, the host of "
    "the request becomes it.",
    remediation="list the hosts in spec.hostnames, or a wildcard below a registered domain",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: n9e
  namespace: apps
  annotations: {cluster-egress/public: "a status page for everybody"}
spec:
  parentRefs: [{name: edge}]
  hostnames: [n9e.example.com]
  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: n9e}]}]
""",
    url="https://gateway-api.sigs.k8s.io/reference/api-types/httproute/#hostnames",
    source="Gateway API: HTTPRoute, hostnames; the Public Suffix List",
    check=_check,
)
