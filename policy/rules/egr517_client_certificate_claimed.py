"""EGR517: the header that says whose certificate a client has is taken from the client."""

from collections.abc import Iterable

from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CLEAN = frozenset({"Sanitize", "SanitizeSet"})


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    mode = reader.field(spec, "headers", "xForwardedClientCert", "mode")
    text = reader.text(mode)
    if text is not None and text not in _CLEAN:
        reader.report(mode, f"{shown(text)} passes on what the client itself wrote into x-forwarded-client-cert")
    return reader.findings


RULE = ObjectRule(
    id="EGR517",
    name="client-certificate-claimed",
    severity=Severity.BLOCK,
    applies_to=frozenset({CLIENT_TRAFFIC_POLICY}),
    summary="X-Forwarded-Client-Cert is set by the proxy from the certificate that it verified, or removed.",
    why="Services behind the proxy believe that header. With ForwardOnly, AppendForward or AlwaysForwardOnly a client "
    "writes any identity into it.",
    remediation="leave the mode out, or write Sanitize or SanitizeSet",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  headers: {xForwardedClientCert: {mode: SanitizeSet, certDetailsToAdd: [Subject]}}
""",
    url="https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-forwarded-client-cert",
    source="envoyproxy/gateway: api/v1alpha1/clienttrafficpolicy_types.go; Envoy: x-forwarded-client-cert",
    check=_check,
)
