"""EGR115: a DynamicResolver that clients may send further than to declared hosts."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.facts.names import NameClass, classify_name, parse_hostname
from policy.name_findings import is_approved_name
from policy.readers.listeners import GATEWAY, listeners_of
from policy.readers.routes import (
    NAMED_ROUTE_KINDS,
    REFERRING_KINDS,
    ROUTE_KINDS,
    TLS_ROUTE,
    Reference,
    Route,
    RouteRule,
    read_route,
    references_in,
)
from policy.reading import Node, Reader, is_empty, join, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_WILDCARD = "*"
_REWRITE = "URLRewrite"
_HOST_HEADERS = frozenset({"host", ":authority"})

_Name = tuple[str, str]
"""Namespace and name."""


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = _Stack(subjects, context)
    for subject in subjects:
        yield from (finding.of(subject) for finding in stack.judge(subject))


class _Stack:
    """The DynamicResolvers of a stack, and the Gateways that routes to them are on."""

    def __init__(self, subjects: tuple[Subject, ...], context: Context) -> None:
        self._context = context
        named = {(each.group_kind, each.ref.namespace, each.ref.name): each for each in subjects}
        self._gateways = {(key[1], key[2]): each for key, each in named.items() if key[0] == GATEWAY}
        self._resolvers = {
            (key[1], key[2])
            for key, each in named.items()
            if key[0] == BACKEND and Reader().field(root(each.whole), "spec", "type").value == "DynamicResolver"
        }

    def judge(self, subject: Subject) -> list[Finding]:
        """Where `subject` refers to a DynamicResolver without a bound."""
        reader = Reader()
        if subject.group_kind in ROUTE_KINDS:
            self._judge_route(reader, read_route(subject))
        elif subject.group_kind in REFERRING_KINDS:
            spec = Reader().field(root(subject.whole), "spec")
            for reference in references_in(spec, Reader(), subject.ref.namespace):
                if self._is_meant(reference):
                    reader.report(reference.node, f"{reference} is a DynamicResolver, which is for routes alone")
        return reader.findings

    def _judge_route(self, reader: Reader, route: Route) -> None:
        passes_on = False
        for rule in route.rules:
            own = join(rule.node.path, "backendRefs")
            for reference in filter(self._is_meant, (*rule.backends, *rule.asked)):
                path = reference.node.path
                if not path.startswith(own) or "." in path.removeprefix(own):
                    reader.report(reference.node, f"a filter leads to the DynamicResolver {reference}")
                elif route.subject.group_kind not in NAMED_ROUTE_KINDS:
                    reader.report(reference.node, f"{reference} is a DynamicResolver, and this route has no hosts")
                elif route.subject.group_kind == TLS_ROUTE:
                    passes_on = True
                else:
                    self._judge_requests(reader, rule, reference)
        if passes_on:
            self._judge_hosts(reader, route)

    def _judge_requests(self, reader: Reader, rule: RouteRule, reference: Reference) -> None:
        """Envoy connects to the host and port in the request, and routes take no notice of the port."""
        # What a host is rewritten to is EGR505's finding.
        if any(_is_rewritten(reader, each) for each in rule.filters_to(reference)):
            return
        matches = reader.items(reader.field(rule.node, "matches"))
        hosts = [_compared_host(reader, match) for match in matches]
        if not hosts or None in hosts:
            what = f"{reference} connects to the host and port that the client names"
            reader.report(reference.node, f"{what}: they are neither rewritten nor compared exactly")
        for host in hosts:
            if host is not None:
                self._judge_host(reader, host)

    def _judge_hosts(self, reader: Reader, route: Route) -> None:
        """Envoy connects to port 443 of the server name, which is one of these."""
        hostnames = reader.field(root(route.subject.whole), "spec", "hostnames")
        named = reader.items(hostnames)
        open_ones = [each for each in named if _WILDCARD in (reader.text(each) or "")] if named else [hostnames]
        # Only the hosts that a listener has as well count, so exact ones there do.
        if open_ones:
            named = self._hosts_of_listeners(route)
            if not named:
                for each in open_ones:
                    what = "names no host" if is_empty(each) else f"{shown(each.value)} is many hosts"
                    reader.report(each, f"{what}, and the client picks where the DynamicResolver connects")
        for host in named:
            self._judge_host(reader, host)

    def _hosts_of_listeners(self, route: Route) -> list[Node]:
        """The hosts of the listeners that the route is on, at the path of its own; none if they are not all exact."""
        found: list[Node] = []
        for parent in route.parents:
            gateway = self._gateways.get((parent.namespace, parent.name)) if parent.kind == "Gateway" else None
            listeners = listeners_of(gateway, parent, route.subject.group_kind)
            texts = [listener.hostname.value for listener in listeners]
            if not texts or not all(isinstance(text, str) and text and _WILDCARD not in text for text in texts):
                return []
            found += [Node(value=text, path="spec.hostnames") for text in texts]
        return found

    def _judge_host(self, reader: Reader, host: Node) -> None:
        text = reader.text(host)
        if text is None:
            return
        try:
            name = parse_hostname(text)
        except ValueError:
            reader.report(host, f"{shown(text)} is not a host name in its plain form")
            return
        grants = self._context.grants
        found = classify_name(name, grants.cluster_domain, self._context.namespaces)
        is_approved = found is NameClass.SPECIAL_TLD and is_approved_name(name, grants)
        if found is not NameClass.PUBLIC and not is_approved:
            reader.report(host, f"{text} is no public name but {found}, and the DynamicResolver connects to it")

    def _is_meant(self, reference: Reference) -> bool:
        return reference.is_backend and (reference.namespace, reference.name) in self._resolvers


def _is_rewritten(reader: Reader, each: Node) -> bool:
    # A GRPCRoute has no such filter: the API server drops what stands in its place.
    return reader.field(each, "type").value == _REWRITE and not is_empty(reader.field(each, "urlRewrite", "hostname"))


def _compared_host(reader: Reader, match: Node) -> Node | None:
    """The host that a match wants to the letter, None if it takes others too."""
    for header in reader.items(reader.field(match, "headers")):
        if (reader.text(reader.field(header, "name")) or "").lower() in _HOST_HEADERS:
            # Gateway API: of two entries for one header only the first counts.
            is_exact = reader.field(header, "type").value in (None, "Exact")
            value = reader.field(header, "value")
            return value if is_exact and not is_empty(value) else None
    return None


RULE = StackRule(
    id="EGR115",
    name="dynamic-resolver-unbounded",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | REFERRING_KINDS | {BACKEND, GATEWAY},
    summary="Each rule that leads to a DynamicResolver says to which host, exactly, and that is a name that it may "
    "connect to.",
    why="It connects to the host of the request, and to the port that stands there: routes compare hosts without "
    "ports, so that Host: a.example.com:22 reaches SSH. What the rule does not say, the client picks. Of TLSRoutes the "
    "hosts are all that bounds it; a TCPRoute has none, and on mirrors Envoy Gateway's own guard against loopback is "
    "not.",
    remediation="have each rule write the host anew (urlRewrite.hostname), or compare the header host exactly, without "
    "a port, in each match; list the hosts of a TLSRoute; lead mirrors, TCPRoutes and policies to Backends with "
    "endpoints",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: partners, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [a.partners.example.com]
  rules:
    - matches: [{headers: [{name: host, value: a.partners.example.com}]}]
      filters: [{type: URLRewrite, urlRewrite: {hostname: a.partners.example.com}}]
      backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: partners}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: partners, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: partners}]
  apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}], sanitize: true}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/backend/",
    source="envoyproxy/gateway: internal/xds/translator/dynamic_forward_proxy.go, sni_dynamic_forward_proxy.go, "
    "translator.go, internal/gatewayapi/ext_service.go; Envoy: ignore_port_in_host_matching",
    check=_check,
)
