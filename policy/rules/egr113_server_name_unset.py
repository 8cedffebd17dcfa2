"""EGR113: TLS without a server name takes it from whoever calls."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_AUTHORITIES = ("wellKnownCACertificates", "caCertificateRefs")


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    tls = reader.field(spec, "tls")
    # Where nothing is verified, or nobody can say, EGR105 speaks; a DynamicResolver is EGR104's matter.
    verifies = any(reader.field(tls, key).value is not None for key in _AUTHORITIES)
    skips = reader.field(tls, "insecureSkipVerify").value not in (None, False)
    if skips or not verifies or reader.field(spec, "type").value not in (None, "Endpoints"):
        return
    name = reader.field(tls, "sni")
    if name.value is None and reader.field(tls, "autoSNIFromEndpointHostname").value is not True:
        yield Finding(path=name.path, message="is missing, so the client's Host header becomes the server name")


RULE = ObjectRule(
    id="EGR113",
    name="server-name-unset",
    severity=Severity.WARN,
    applies_to=frozenset({BACKEND}),
    summary="A Backend with TLS names the server that it expects.",
    why="Without it Envoy takes the name from the client's request: the client then picks which certificate is right, "
    "and which of a provider's many customers answers.",
    remediation="set tls.sni to the outside service's name, or autoSNIFromEndpointHostname: true",
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
    source="envoyproxy/gateway: api/v1alpha1/backend_types.go, BackendTLSSettings",
    check=_check,
)
