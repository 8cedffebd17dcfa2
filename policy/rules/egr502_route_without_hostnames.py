"""EGR502: a route to an outside service that answers for every host."""

from collections.abc import Iterator

from policy.facts.names import is_public_suffix
from policy.readers.listeners import GATEWAY, listeners_of
from policy.readers.routes import NAMED_ROUTE_KINDS, Parent, Route, read_route
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_WILDCARD = "*."

_Gateways = dict[tuple[str, str], Subject]
"""By namespace and name."""


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    gateways = {(each.ref.namespace, each.ref.name): each for each in subjects if each.group_kind == GATEWAY}
    for subject in subjects:
        if subject.group_kind in NAMED_ROUTE_KINDS:
            yield from (finding.of(subject) for finding in _findings(read_route(subject), gateways))


def _findings(route: Route, gateways: _Gateways) -> list[Finding]:
    reader = Reader()
    if not route.leads_to_backend:
        return []
    hostnames = reader.field(root(route.subject.whole), "spec", "hostnames")
    if is_empty(hostnames) and not _is_named_by_listeners(route, gateways):
        reader.report(hostnames, "names no host, so the route answers for all of its listeners' hosts")
    for hostname in reader.items(hostnames):
        _judge(reader, hostname)
    return reader.findings


def _is_named_by_listeners(route: Route, gateways: _Gateways) -> bool:
    """Whether every listener that the route is on is in the stack and names its host: the route then has that one."""
    return bool(route.parents) and all(_names_hosts(parent, route, gateways) for parent in route.parents)


def _names_hosts(parent: Parent, route: Route, gateways: _Gateways) -> bool:
    gateway = gateways.get((parent.namespace, parent.name)) if parent.kind == "Gateway" else None
    listeners = listeners_of(gateway, parent, route.subject.group_kind)
    reader = Reader()
    for listener in listeners:
        _judge(reader, listener.hostname)
    return bool(listeners) and not reader.findings


def _judge(reader: Reader, hostname: Node) -> None:
    text = reader.text(hostname)
    if hostname.value is None or text in ("", "*"):
        reader.report(hostname, "is every host")
    elif text is not None and text.startswith(_WILDCARD) and is_public_suffix(text.removeprefix(_WILDCARD).lower()):
        reader.report(hostname, f"{text} is every host under a public suffix")


RULE = StackRule(
    id="EGR502",
    name="route-without-hostnames",
    severity=Severity.BLOCK,
    applies_to=NAMED_ROUTE_KINDS | {GATEWAY},
    summary="A route that leads to a Backend names its hosts, or each of its listeners in the stack does.",
    why="Without host names the route takes every request of its listeners that no other route takes: what was meant "
    "for another service leaves the cluster, with its cookies and tokens. Where the Backend sets no SNI, the host of "
    "the request becomes it.",
    remediation="list the hosts in spec.hostnames, or a wildcard below a registered domain",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: n9e, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [n9e.example.com]
  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: n9e}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}], sanitize: true}
""",
    url="https://gateway-api.sigs.k8s.io/reference/api-types/httproute/#hostnames",
    source="Gateway API: HTTPRoute, hostnames; envoyproxy/gateway: internal/gatewayapi/helpers.go; "
    "the Public Suffix List",
    check=_check,
)
