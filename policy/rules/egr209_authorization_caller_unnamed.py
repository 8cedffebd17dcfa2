"""EGR209: an AuthorizationPolicy that allows whoever is known at all, or everybody to do some things. A warning."""

from collections.abc import Iterator

from policy.readers.authorization_policies import AUTHORIZATION_POLICY, allowed_by
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    yield from allowed_by(subject).unnamed


RULE = ObjectRule(
    id="EGR209",
    name="authorization-caller-unnamed",
    severity=Severity.WARN,
    applies_to=frozenset({AUTHORIZATION_POLICY}),
    summary="An AuthorizationPolicy that allows names its callers.",
    why="Every pod of the mesh has a certificate, and every user of an issuer a token: `*` is all of them. That can be "
    "right for an application; on an egress gateway it lets every namespace use every destination.",
    remediation="name the callers: principals with their namespace, serviceAccounts, or namespaces",
    example="""\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: status, namespace: shop}
spec:
  rules:
    - from: [{source: {namespaces: [monitoring]}}]
      to: [{operation: {methods: [GET], paths: [/status]}}]
""",
    url="https://istio.io/latest/docs/ops/best-practices/security/#use-default-deny-patterns",
    source="istio/api: security/v1beta1/authorization_policy.proto",
    check=_check,
)
