"""EGR112: plain text to a port where TLS is spoken."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from policy.destinations import BACKEND
from policy.readers.listeners import GATEWAY, listeners_of
from policy.readers.routes import ROUTE_KINDS, TLS_ROUTE, Route, read_route
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_BACKEND_TLS_POLICY = "gateway.networking.k8s.io/BackendTLSPolicy"
_GROUP = "gateway.envoyproxy.io"
_WEB_SOCKETS_WITH_TLS = "gateway.envoyproxy.io/wss"
_TLS_PORT = 443

_Name = tuple[str, str]
"""Namespace and name of a Backend."""
_Target = tuple[str, str, str | None]
"""Namespace and name of a Backend, and the port of it that is meant, as text; None for all of it."""


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    targets: defaultdict[_Name, set[str | None]] = defaultdict(set)
    for policy in subjects:
        if policy.group_kind == _BACKEND_TLS_POLICY:
            for namespace, target, section in _targets(policy):
                targets[namespace, target].add(section)
    passed = _passed_through(subjects)
    used = _used_ports(subjects)
    for subject in subjects:
        name = (subject.ref.namespace, subject.ref.name)
        if subject.group_kind == BACKEND and name not in passed and None not in targets[name]:
            # Envoy Gateway looks for the port of the reference among the policies (getTargetBackendReference).
            ports = targets[name] if used[name] <= targets[name] else set[str | None]()
            yield from (finding.of(subject) for finding in _judge(subject, ports))


def _judge(subject: Subject, encrypted: set[str | None]) -> list[Finding]:
    """What goes out in plain text, where the ports in `encrypted` have TLS from a policy."""
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if reader.field(spec, "tls").value is not None:
        return []
    # What cannot be read of ports and protocols is EGR100's matter, or Envoy Gateway's own.
    endpoints = reader.items(reader.field(spec, "endpoints"))
    fields = [reader.field(endpoint, kind, "port") for endpoint in endpoints for kind in ("fqdn", "ip")]
    ports = [port for port in fields if port.value is not None]
    plain = [port for port in ports if f"{port.value}" not in encrypted]
    is_encrypted = bool(ports) and not plain
    findings = [
        Finding(path=protocol.path, message="wss is WebSockets with TLS, but no TLS is set up")
        for protocol in reader.items(reader.field(spec, "appProtocols"))
        if reader.text(protocol) == _WEB_SOCKETS_WITH_TLS and not is_encrypted
    ]
    said = "443 speaks TLS, but no TLS is set up"
    return findings + [Finding(path=port.path, message=said) for port in plain if port.value == _TLS_PORT]


def _targets(policy: Subject) -> Iterator[_Target]:
    """The Backends that a BackendTLSPolicy encrypts to: in its own namespace."""
    reader = Reader()
    spec = reader.field(root(policy.whole), "spec")
    for target in reader.items(reader.field(spec, "targetRefs")):
        section = reader.field(target, "sectionName").value
        is_backend = (reader.field(target, "group").value, reader.field(target, "kind").value) == (_GROUP, "Backend")
        if is_backend and isinstance(section, str | None):
            yield policy.ref.namespace, reader.text(reader.field(target, "name")) or "", section


def _used_ports(subjects: Iterable[Subject]) -> defaultdict[_Name, set[str | None]]:
    """The ports by which routes refer to Backends, by the Backend; None for a reference without one."""
    found: defaultdict[_Name, set[str | None]] = defaultdict(set)
    for subject in subjects:
        if subject.group_kind in ROUTE_KINDS:
            for rule in read_route(subject).rules:
                for reference in (*rule.backends, *rule.asked):
                    port = Reader().field(reference.node, "port").value
                    found[reference.namespace, reference.name].add(None if port is None else f"{port}")
    return found


def _passed_through(subjects: Iterable[Subject]) -> set[_Name]:
    """The Backends that get the client's own TLS unchanged, from every route that leads to them."""
    gateways = {(each.ref.namespace, each.ref.name): each for each in subjects if each.group_kind == GATEWAY}
    encrypted: set[_Name] = set()
    plain: set[_Name] = set()
    for subject in subjects:
        if subject.group_kind in ROUTE_KINDS:
            route = read_route(subject)
            passes = subject.group_kind == TLS_ROUTE and not _is_terminated(route, gateways)
            for rule in route.rules:
                names = {(backend.namespace, backend.name) for backend in rule.backends}
                (encrypted if passes else plain).update(names)
                plain.update((backend.namespace, backend.name) for backend in rule.asked)
    return encrypted - plain


def _is_terminated(route: Route, gateways: dict[_Name, Subject]) -> bool:
    """Whether a listener that the TLSRoute is on may end TLS, as far as the stack shows its Gateways."""
    return any(
        not listener.passes_tls
        for parent in route.parents
        for listener in listeners_of(gateways.get((parent.namespace, parent.name)), parent, TLS_ROUTE)
    )


RULE = StackRule(
    id="EGR112",
    name="plain-text-to-tls-port",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | {BACKEND, _BACKEND_TLS_POLICY, GATEWAY},
    summary="A Backend at port 443, or that speaks wss, has TLS: of its own, from a BackendTLSPolicy, or passed "
    "through by TLSRoutes alone.",
    why="Without TLS the proxy sends plain text to 443: it fails, or somebody on the way answers in the service's "
    "place and reads what is sent to it.",
    remediation="add tls with wellKnownCACertificates: System and the sni, or a BackendTLSPolicy for the Backend",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: billing, namespace: apps}
spec:
  endpoints:
    - fqdn: {hostname: billing.example.com, port: 443}
  tls:
    wellKnownCACertificates: System
    sni: billing.example.com
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/backend-tls/",
    source="envoyproxy/gateway: api/v1alpha1/backend_types.go; Gateway API: BackendTLSPolicy",
    check=_check,
)
