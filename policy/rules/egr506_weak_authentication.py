"""EGR506: a SecurityPolicy that asks who comes, and lets in those who do not say."""

from collections.abc import Iterable

from policy.readers.authentication import SECURITY_POLICY, read_security_policy
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    return read_security_policy(subject).weaknesses


RULE = ObjectRule(
    id="EGR506",
    name="weak-authentication",
    severity=Severity.BLOCK,
    applies_to=frozenset({SECURITY_POLICY}),
    summary="What a SecurityPolicy checks, it insists on: no optional tokens without an authorization that needs them, "
    "nothing that fails open, and, unless every request must bring a token, a key or a password, no default of Allow "
    "and no rule that allows everybody. Keys that stand in it are public ones.",
    why="Such a policy looks like protection. A request without a token, with a wrong one, with a header that it made "
    "up, or at a moment when the authorization service is down, passes. Whoever can "
    "read a secret key here can make tokens.",
    remediation="leave out optional, failOpen and defaultAction: Allow, and give each Allow rule narrow clientCIDRs or "
    "claims of a token",
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
  authorization:
    defaultAction: Deny
    rules:
      - action: Allow
        principal: {jwt: {provider: idp, scopes: [n9e.read]}}
""",
    url="https://gateway.envoyproxy.io/docs/concepts/gateway_api_extensions/security-policy/",
    source="envoyproxy/gateway: api/v1alpha1/jwt_types.go, ext_auth_types.go, oidc_types.go, authorization_types.go",
    check=_check,
)
