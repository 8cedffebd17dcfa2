"""EGR501: a route to an outside service that lets in clients that nobody knows."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.readers.authentication import SECURITY_POLICY, SecurityPolicy, read_security_policy
from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY, CertificateGuards
from policy.readers.listeners import GATEWAY, LISTENER_SET, listeners_of
from policy.readers.policy_targets import Attachment, Attachments, Fit
from policy.readers.routes import (
    GRPC_ROUTE,
    HTTP_ROUTE,
    ROUTE_KINDS,
    TCP_ROUTE,
    UDP_ROUTE,
    Parent,
    Route,
    RouteRule,
    read_route,
)
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_PUBLIC = "cluster-egress/public"
_HTTP = frozenset({HTTP_ROUTE, GRPC_ROUTE})
# securitypolicy_types.go: what a SecurityPolicy may be about. Those of a Gateway are also applied to TLSRoutes.
_TARGETS = _HTTP | {TCP_ROUTE}

_Name = tuple[str, str]


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    guards = _Guards(subjects)
    for subject in subjects:
        if subject.group_kind not in ROUTE_KINDS:
            continue
        route = read_route(subject)
        for rule in route.rules:
            if rule.backends and not guards.excuse(rule) and not guards.cover(route, rule):
                leads = " and ".join(sorted({f"{backend}" for backend in rule.backends}))
                message = f"leads to {leads}, and nothing in the stack lets in only clients that are known"
                yield Finding(path=rule.node.path, message=message).of(subject)


class _Guards:
    """What in the stack guards routes."""

    def __init__(self, subjects: tuple[Subject, ...]) -> None:
        policies = [subject for subject in subjects if subject.group_kind == SECURITY_POLICY]
        self._read = {policy: read_security_policy(policy) for policy in policies}
        self._attachments = Attachments(policies)
        parents = [subject for subject in subjects if subject.group_kind in (GATEWAY, LISTENER_SET)]
        self._parents = {(each.ref.kind, each.ref.namespace, each.ref.name): each for each in parents}
        self._certificates = CertificateGuards(
            (each for each in parents if each.group_kind == GATEWAY),
            (subject for subject in subjects if subject.group_kind == CLIENT_TRAFFIC_POLICY),
        )
        self._covered: dict[tuple[Parent, str], bool] = {}
        self._public = {
            (subject.ref.namespace, subject.ref.name)
            for subject in subjects
            if subject.group_kind == BACKEND and _says_public(subject)
        }

    def excuse(self, rule: RouteRule) -> bool:
        """Whether everything that `rule` leads to says, with a reason, that anybody may come.

        Whoever wants the route cannot say so: the annotation counts on a Backend alone.
        """
        return all((backend.namespace, backend.name) in self._public for backend in rule.backends)

    def cover(self, route: Route, rule: RouteRule) -> bool:
        """Whether only known clients come through, by certificate or by policy."""
        if route.subject.group_kind == UDP_ROUTE or not route.parents:
            return False
        if all(self._certificates.guard(parent, route.subject.group_kind) for parent in route.parents):
            return True
        ref = route.subject.ref
        about: list[Attachment] = []
        if route.subject.group_kind in _TARGETS:
            about = self._attachments.on(kind=ref.kind, namespace=ref.namespace, name=ref.name, subject=route.subject)
        # The most specific level takes the place of the others, unless its policies merge.
        for section in dict.fromkeys((rule.name, "")):
            level = [each for each in about if each.section == section]
            if not all(self._suffices(each, route) for each in level):
                return False
            if any(each.fit is Fit.YES for each in level):
                return True
        return self._cover_by_parents(route)

    def _suffices(self, attachment: Attachment, route: Route) -> bool:
        policy = self._read[attachment.policy]
        return _guards_route(policy, route) or (policy.merges and self._cover_by_parents(route))

    def _cover_by_parents(self, route: Route) -> bool:
        return all(self._covers(parent, route) for parent in route.parents)

    def _covers(self, parent: Parent, route: Route) -> bool:
        # Many routes share few parents, and only their kind makes a difference.
        key = (parent, route.subject.group_kind)
        if key not in self._covered:
            self._covered[key] = self._is_covered(parent, route)
        return self._covered[key]

    def _is_covered(self, parent: Parent, route: Route) -> bool:
        key = (parent.kind, parent.namespace, parent.name)
        subject = self._parents.get(key)
        about = self._attachments.on(kind=parent.kind, namespace=parent.namespace, name=parent.name, subject=subject)
        is_gateway = subject is not None and subject.group_kind == GATEWAY
        listeners = listeners_of(subject if is_gateway else None, parent, route.subject.group_kind)
        sections = [listener.name for listener in listeners] or [parent.section]
        return all(self._covers_section(about, section, route) for section in sections)

    def _covers_section(self, about: list[Attachment], section: str, route: Route) -> bool:
        own = [each for each in about if section != "" and each.section == section]
        general = [each for each in about if each.section == ""]
        # A policy for the listener takes the place of the Gateway's. Where the listeners are not known, the route is
        # on every one of them, so no policy for one may be weaker.
        decisive = own or general
        judged = own or (general if section != "" else about)
        return any(each.fit is Fit.YES for each in decisive) and all(
            _guards_route(self._read[each.policy], route) for each in judged
        )


def _guards_route(policy: SecurityPolicy, route: Route) -> bool:
    if route.subject.group_kind in _HTTP:
        return policy.guards_http
    # A policy for HTTP is refused on a TCPRoute, which then has none.
    return policy.guards_connections and not policy.is_for_http_only


def _says_public(subject: Subject) -> bool:
    reader = Reader()
    reason = reader.text(reader.field(root(subject.whole), "metadata", "annotations", _PUBLIC))
    return reason is not None and reason.strip() != ""


RULE = StackRule(
    id="EGR501",
    name="route-without-authentication",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | {SECURITY_POLICY, CLIENT_TRAFFIC_POLICY, GATEWAY, LISTENER_SET, BACKEND},
    summary="A route that leads or mirrors to a Backend lets in only clients that are known, or the Backend "
    "says why it is public.",
    why="Whoever reaches the Gateway reaches the outside service with the cluster's own address and credentials. CORS "
    "keeps nobody out, on TCP only client addresses count, and a policy for the route takes the place of the "
    "Gateway's unless it merges.",
    remediation="target the route or its Gateway with a SecurityPolicy that has jwt, oidc, apiKeyAuth, basicAuth, "
    "extAuth or narrow clientCIDRs, or annotate each Backend with cluster-egress/public and the reason",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: n9e, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [n9e.example.com]
  rules:
    - filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [authorization]}}]
      backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: n9e}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  jwt:
    providers:
      - name: idp
        remoteJWKS: {uri: https://login.example.com/jwks.json}
        extractFrom: {headers: [{name: Authorization, valuePrefix: "Bearer "}]}
""",
    url="https://gateway.envoyproxy.io/docs/concepts/gateway_api_extensions/security-policy/",
    source="envoyproxy/gateway: api/v1alpha1/securitypolicy_types.go, internal/gatewayapi/securitypolicy.go",
    check=_check,
)
