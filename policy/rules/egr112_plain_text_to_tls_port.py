"""EGR112: plain text to a port where TLS is spoken."""

from collections.abc import Iterable, Iterator

from policy.destinations import BACKEND
from policy.readers.routes import ROUTE_KINDS, TLS_ROUTE, Route, read_route
from policy.reading import Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_BACKEND_TLS_POLICY = "gateway.networking.k8s.io/BackendTLSPolicy"
_GATEWAY = "gateway.networking.k8s.io/Gateway"
_GROUP = "gateway.envoyproxy.io"
_WEB_SOCKETS_WITH_TLS = "gateway.envoyproxy.io/wss"
_PASSTHROUGH = "Passthrough"
_TLS_PORT = 443

_Name = tuple[str, str]


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    encrypted: set[_Name] = set()
    for subject in subjects:
        if subject.group_kind == _BACKEND_TLS_POLICY:
            encrypted |= _targets(subject)
    encrypted |= _passed_through(subjects)
    for subject in subjects:
        if subject.group_kind == BACKEND and (subject.ref.namespace, subject.ref.name) not in encrypted:
            for finding in _judge(subject):
                yield Finding(path=finding.path, message=finding.message, ref=subject.ref, origin=subject.origin)


def _judge(subject: Subject) -> list[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if reader.field(spec, "tls").value is not None:
        return []
    findings = [
        Finding(path=protocol.path, message="wss is WebSockets with TLS, but no TLS is set up")
        for protocol in reader.items(reader.field(spec, "appProtocols"))
        if reader.text(protocol) == _WEB_SOCKETS_WITH_TLS
    ]
    # What cannot be read of ports and protocols is EGR100's matter, or Envoy Gateway's own.
    for endpoint in reader.items(reader.field(spec, "endpoints")):
        for kind in ("fqdn", "ip"):
            port = reader.field(endpoint, kind, "port")
            if port.value == _TLS_PORT:
                findings.append(Finding(path=port.path, message="443 speaks TLS, but no TLS is set up"))
    return findings


def _targets(policy: Subject) -> set[_Name]:
    """The Backends that a BackendTLSPolicy encrypts to, as a whole: in its own namespace."""
    reader = Reader()
    spec = reader.field(root(policy.whole), "spec")
    found: set[_Name] = set()
    for target in reader.items(reader.field(spec, "targetRefs")):
        whole = is_empty(reader.field(target, "sectionName"))
        if whole and reader.field(target, "group").value == _GROUP and reader.field(target, "kind").value == "Backend":
            found.add((policy.ref.namespace, reader.text(reader.field(target, "name")) or ""))
    return found


def _passed_through(subjects: Iterable[Subject]) -> set[_Name]:
    """The Backends that get the client's own TLS unchanged, from every route that leads to them."""
    gateways = {
        (subject.ref.namespace, subject.ref.name): subject for subject in subjects if subject.group_kind == _GATEWAY
    }
    encrypted: set[_Name] = set()
    plain: set[_Name] = set()
    for subject in subjects:
        if subject.group_kind in ROUTE_KINDS:
            route = read_route(subject)
            passes = subject.group_kind == TLS_ROUTE and not _is_terminated(route, gateways)
            backends = (backend for rule in route.rules for backend in rule.backends)
            (encrypted if passes else plain).update((backend.namespace, backend.name) for backend in backends)
    return encrypted - plain


def _is_terminated(route: Route, gateways: dict[_Name, Subject]) -> bool:
    """Whether a listener that the route attaches to ends TLS, as far as the stack shows its Gateways."""
    reader = Reader()
    for parent in route.parents:
        gateway = gateways.get((parent.namespace, parent.name))
        listeners = [] if gateway is None else reader.items(reader.field(root(gateway.whole), "spec", "listeners"))
        for listener in listeners:
            is_meant = parent.section in ("", reader.field(listener, "name").value)
            is_tls = reader.field(listener, "protocol").value == "TLS"
            if is_meant and is_tls and reader.field(listener, "tls", "mode").value != _PASSTHROUGH:
                return True
    return False


RULE = StackRule(
    id="EGR112",
    name="plain-text-to-tls-port",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | {BACKEND, _BACKEND_TLS_POLICY, _GATEWAY},
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
