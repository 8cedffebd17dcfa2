"""EGR511: what decides who is let in, or code, is fetched in plain text."""

from collections.abc import Iterator

from policy.destinations import destinations_of
from policy.readers.authentication import SECURITY_POLICY
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    for path in destinations_of(subject).plain_urls:
        yield Finding(path=path, message="is fetched over http, so anybody on the way can answer")


RULE = ObjectRule(
    id="EGR511",
    name="plain-url",
    severity=Severity.BLOCK,
    applies_to=frozenset(
        {
            SECURITY_POLICY,
            "gateway.envoyproxy.io/EnvoyExtensionPolicy",
            "security.istio.io/RequestAuthentication",
        }
    ),
    summary="Keys of token issuers, OIDC endpoints and Wasm code are fetched over https, or from a Service that is "
    "referred to.",
    why="Whoever answers in the issuer's place gives out keys of their own, and with them tokens that are accepted; "
    "whoever answers for Wasm code runs theirs in the proxy.",
    remediation="write https in the URL",
    example="""\
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
    url="https://datatracker.ietf.org/doc/html/rfc8725#section-3.10",
    source="RFC 8725, section 3.10; envoyproxy/gateway: api/v1alpha1/jwt_types.go, oidc_types.go, wasm_types.go",
    check=_check,
)
