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
    Reference,
    Route,
    read_route,
    references_in,
)
from policy.reading import Node, Reader, is_empty, join, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_WILDCARD = "*"

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
        leads = False
        for rule in route.rules:
            own = join(rule.node.path, "backendRefs")
            for reference in filter(self._is_meant, (*rule.backends, *rule.asked)):
                path = reference.node.path
                if not path.startswith(own) or "." in path.removeprefix(own):
                    reader.report(reference.node, f"a filter leads to the DynamicResolver {reference}")
                elif route.subject.group_kind not in NAMED_ROUTE_KINDS:
                    reader.report(reference.node, f"{reference} is a DynamicResolver, and this route has no hosts")
                else:
                    leads = True
        if leads:
            self._judge_hosts(reader, route)

    def _judge_hosts(self, reader: Reader, route: Route) -> None:
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


RULE = StackRule(
    id="EGR115",
    name="dynamic-resolver-unbounded",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | REFERRING_KINDS | {BACKEND, GATEWAY},
    summary="Only routes with exact host names lead to a DynamicResolver, and those are names that it may connect to.",
    why="It connects to the host of the request. The hosts of the route are all that bounds it: with a wildcard, or "
    "none, the client picks. A TCPRoute has none, and on mirrors Envoy Gateway's own guard against loopback is not.",
    remediation="list the hosts in spec.hostnames, exactly, and lead mirrors, TCPRoutes and policies to Backends with "
    "endpoints",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: partners, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [a.partners.example.com, b.partners.example.com]
  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: partners}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: partners, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: partners}]
  jwt: {providers: [{name: idp, remoteJWKS: {uri: https://login.example.com/jwks.json}}]}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/backend/",
    source="envoyproxy/gateway: internal/xds/translator/dynamic_forward_proxy.go, sni_dynamic_forward_proxy.go, "
    "internal/gatewayapi/ext_service.go",
    check=_check,
)
