"""EGR534: a credential of ours that leaves without TLS."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.readers.policy_targets import named_targets
from policy.readers.routes import GRPC_ROUTE, HTTP_ROUTE, HTTP_ROUTE_FILTER, RouteRule, read_route
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_BACKEND_TLS_POLICY = "gateway.networking.k8s.io/BackendTLSPolicy"
_ROUTES = frozenset({HTTP_ROUTE, GRPC_ROUTE})

_Name = tuple[str, str]


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    injecting = {_name(each) for each in subjects if each.group_kind == HTTP_ROUTE_FILTER and _injects(each)}
    plain = _plain_backends(subjects)
    for subject in subjects:
        if subject.group_kind not in _ROUTES:
            continue
        for rule in read_route(subject).rules:
            leaks = sorted(f"{each}" for each in rule.backends if (each.namespace, each.name) in plain)
            for extension in _extensions(rule) if leaks else ():
                name = f"{Reader().field(extension, 'name').value}"
                if (subject.ref.namespace, name) in injecting:
                    message = f"adds a credential, which goes to {' and '.join(leaks)} in plain text"
                    yield Finding(path=extension.path, message=message).of(subject)


def _plain_backends(subjects: tuple[Subject, ...]) -> set[_Name]:
    """The Backends to which nothing in the stack speaks TLS. A policy for one port may be for the one that is used."""
    encrypted = {
        (policy.ref.namespace, f"{Reader().field(target, 'name').value}")
        for policy in subjects
        if policy.group_kind == _BACKEND_TLS_POLICY
        for target in named_targets(Reader(), policy)
        if Reader().field(target, "kind").value == "Backend"
    }
    return {_name(each) for each in subjects if each.group_kind == BACKEND and _is_plain(each)} - encrypted


def _is_plain(backend: Subject) -> bool:
    spec = Reader().field(root(backend.whole), "spec")
    # With a DynamicResolver EGR505 allows no credential at all.
    return is_empty(Reader().field(spec, "tls")) and Reader().field(spec, "type").value in (None, "Endpoints")


def _extensions(rule: RouteRule) -> Iterator[Node]:
    for each in rule.filters:
        extension = Reader().field(each, "extensionRef")
        if Reader().field(extension, "kind").value == "HTTPRouteFilter":
            yield extension


def _injects(subject: Subject) -> bool:
    return not is_empty(Reader().field(root(subject.whole), "spec", "credentialInjection"))


def _name(subject: Subject) -> _Name:
    return subject.ref.namespace, subject.ref.name


RULE = StackRule(
    id="EGR534",
    name="credential-in-plain-text",
    severity=Severity.WARN,
    applies_to=_ROUTES | {HTTP_ROUTE_FILTER, BACKEND, _BACKEND_TLS_POLICY},
    summary="A credential that a route adds goes to Backends with TLS only.",
    why="It is the cluster's own, good for everything that its account may do outside. In plain text everybody on the "
    "way reads it, with each request.",
    remediation="give the Backend tls, or add a BackendTLSPolicy for it",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: n9e, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [n9e.example.com]
  rules:
    - filters:
        - {type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: token}}
      backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: n9e}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: token, namespace: apps}
spec: {credentialInjection: {overwrite: true, credential: {valueRef: {name: token}}}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  endpoints: [{fqdn: {hostname: n9e.example.org, port: 443}}]
  tls: {wellKnownCACertificates: System, sni: n9e.example.org}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}], sanitize: true}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/credential-injection/",
    source="envoyproxy/gateway: api/v1alpha1/httproutefilter_types.go; RFC 6750, section 5.3",
    check=_check,
)
