"""EGR112: plain text to a port where TLS is spoken."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_BACKEND_TLS_POLICY = "gateway.networking.k8s.io/BackendTLSPolicy"
_TLS_ROUTE = "gateway.networking.k8s.io/TLSRoute"
_GROUP = "gateway.envoyproxy.io"
_WEB_SOCKETS_WITH_TLS = "gateway.envoyproxy.io/wss"
_TLS_PORT = 443

_Name = tuple[str, str]


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    encrypted: set[_Name] = set()
    for subject in subjects:
        if subject.group_kind == _BACKEND_TLS_POLICY:
            encrypted |= _targets(subject)
        elif subject.group_kind == _TLS_ROUTE:
            encrypted |= _passed_through(subject)
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


def _passed_through(route: Subject) -> set[_Name]:
    """The Backends that a TLSRoute leads to: the client's own TLS goes there unchanged."""
    reader = Reader()
    found: set[_Name] = set()
    for rule in reader.items(reader.field(root(route.whole), "spec", "rules")):
        for reference in reader.items(reader.field(rule, "backendRefs")):
            found |= _backend_of(reader, reference, route.ref.namespace)
    return found


def _backend_of(reader: Reader, reference: Node, namespace: str) -> set[_Name]:
    if reader.field(reference, "kind").value != "Backend":
        return set()
    other = reader.text(reader.field(reference, "namespace"))
    return {(namespace if other is None else other, reader.text(reader.field(reference, "name")) or "")}


RULE = StackRule(
    id="EGR112",
    name="plain-text-to-tls-port",
    severity=Severity.BLOCK,
    applies_to=frozenset({BACKEND, _BACKEND_TLS_POLICY, _TLS_ROUTE}),
    summary="A Backend at port 443, or that speaks wss, has TLS: of its own, from a BackendTLSPolicy, or passed "
    "through by a TLSRoute.",
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
