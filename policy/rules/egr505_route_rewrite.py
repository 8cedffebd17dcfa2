"""EGR505: a rewrite of the host on a route whose host decides where it connects."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.facts.names import NameClass, classify_name, parse_hostname
from policy.name_findings import is_approved_name
from policy.readers.routes import GRPC_ROUTE, HTTP_ROUTE, HTTP_ROUTE_FILTER, RouteRule, read_route
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_ROUTES = frozenset({HTTP_ROUTE, GRPC_ROUTE})
_STATIC = (None, "Endpoints")
_NOT_SHOWN = ""
# httproutefilter_types.go. The third, Backend, is the name of an endpoint, which a DynamicResolver does not have.
_CHOSEN_BY_CLIENT = {"Header": "a header", "PathRegex": "the path"}
_HOST_HEADERS = frozenset({"host", ":authority"})
_HEADER_ACTIONS = ("set", "add")

_Name = tuple[str, str]


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = _Stack(subjects, context)
    for subject in subjects:
        if subject.group_kind in _ROUTES:
            yield from (finding.of(subject) for finding in stack.judge(subject))


class _Stack:
    """The Backends and filters that routes refer to."""

    def __init__(self, subjects: tuple[Subject, ...], context: Context) -> None:
        self._context = context
        self._types: dict[_Name, object] = {}
        self._filters: dict[_Name, Subject] = {}
        for subject in subjects:
            name = (subject.ref.namespace, subject.ref.name)
            if subject.group_kind == BACKEND:
                self._types[name] = Reader().field(root(subject.whole), "spec", "type").value
            elif subject.group_kind == HTTP_ROUTE_FILTER:
                self._filters[name] = subject

    def judge(self, route: Subject) -> list[Finding]:
        """What in the rules of `route` rewrites the host where it must not."""
        reader = Reader()
        for rule in read_route(route).rules:
            types = [self._types.get((each.namespace, each.name), _NOT_SHOWN) for each in (*rule.backends, *rule.asked)]
            # A Backend of type Endpoints connects to those, whatever the host. One that is not shown may be of either.
            dynamic = [kind for kind in types if kind not in _STATIC]
            if dynamic:
                is_shown = any(kind != _NOT_SHOWN for kind in dynamic)
                self._judge_rule(reader, rule, route.ref.namespace, is_shown=is_shown)
        return reader.findings

    def _judge_rule(self, reader: Reader, rule: RouteRule, namespace: str, *, is_shown: bool) -> None:
        for each in rule.filters:
            hostname = reader.field(each, "urlRewrite", "hostname")
            self._judge_name(reader, hostname)
            for action in _HEADER_ACTIONS:
                for header in reader.items(reader.field(each, "requestHeaderModifier", action)):
                    name = reader.field(header, "name")
                    if (reader.text(name) or "").lower() in _HOST_HEADERS:
                        reader.report(name, "replaces the host, by which this route may connect")
            extension = reader.field(each, "extensionRef")
            if reader.field(extension, "kind").value == "HTTPRouteFilter":
                self._judge_extension(reader, extension, namespace, is_shown=is_shown)

    def _judge_name(self, reader: Reader, node: Node) -> None:
        text = reader.text(node)
        if text is None:
            return
        try:
            name = parse_hostname(text)
        except ValueError:
            reader.report(node, f"{shown(text)} is not a host name in its plain form")
            return
        context = self._context
        found = classify_name(name, context.grants.cluster_domain, context.namespaces)
        is_approved = found is NameClass.SPECIAL_TLD and is_approved_name(name, context.grants)
        if found is not NameClass.PUBLIC and not is_approved:
            reader.report(node, f"{text} is no public name but {found}, and this route may connect to it")

    def _judge_extension(self, reader: Reader, extension: Node, namespace: str, *, is_shown: bool) -> None:
        name = reader.text(reader.field(extension, "name")) or ""
        subject = self._filters.get((namespace, name))
        if subject is None:
            if is_shown:
                reader.report(
                    extension, f"HTTPRouteFilter {name} is not in the stack, so nobody can judge its rewrites"
                )
            return
        other = Reader()
        spec = other.field(root(subject.whole), "spec")
        kind = other.field(spec, "urlRewrite", "hostname", "type")
        by = _CHOSEN_BY_CLIENT.get(other.text(kind) or "")
        if by is not None or other.findings:
            what = f"takes the host from {by or 'what is not known'} of the request"
            reader.report(extension, f"HTTPRouteFilter {name} {what}, and this route may connect to it")
        if other.field(spec, "credentialInjection").value is not None:
            reader.report(extension, f"HTTPRouteFilter {name} adds a credential, and the client says where it goes")


RULE = StackRule(
    id="EGR505",
    name="route-rewrite",
    severity=Severity.BLOCK,
    applies_to=_ROUTES | {HTTP_ROUTE_FILTER, BACKEND},
    summary="On a route that may lead to a DynamicResolver, no filter makes the host a name that is not public, or one "
    "that the client chooses, or adds a credential.",
    why="A DynamicResolver connects to the host of the request. Envoy Gateway refuses loopback names there, but not "
    "when a filter writes them, nor when the path spells them; a credential would go wherever the client says.",
    remediation="rewrite to a public host name, or lead the route to a Backend with endpoints",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: billing, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [billing.example.com]
  rules:
    - filters: [{type: URLRewrite, urlRewrite: {hostname: prices.example.com}}]
      backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: billing}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: billing, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: billing}]
  apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}], sanitize: true}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/backend/",
    source="envoyproxy/gateway: internal/xds/translator/dynamic_forward_proxy.go, "
    "api/v1alpha1/httproutefilter_types.go",
    check=_check,
)
