"""EGR208: an AuthorizationPolicy that allows everybody."""

from collections.abc import Iterator

from policy.readers.authorization_policies import AUTHORIZATION_POLICY, allowed_by
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    yield from allowed_by(subject).anybody


RULE = ObjectRule(
    id="EGR208",
    name="authorization-policy-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({AUTHORIZATION_POLICY}),
    summary="An AuthorizationPolicy that allows says whom.",
    why="One ALLOW that matches is enough: an empty rule, a source that is every address, or one that only says who "
    "it is not, undoes what every other policy of the workload keeps out.",
    remediation="name the callers under from.source: principals or serviceAccounts, else namespaces or narrow ipBlocks",
    example="""\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: news, namespace: istio-egress}
spec:
  selector: {matchLabels: {istio: egress-gateway}}
  action: ALLOW
  rules:
    - from: [{source: {principals: [cluster.local/ns/news/sa/reader]}}]
      when: [{key: connection.sni, values: [edition.cnn.com]}]
""",
    url="https://istio.io/latest/docs/reference/config/security/authorization-policy/",
    source="istio/api: security/v1beta1/authorization_policy.proto; istio/istio: pilot/pkg/security/authz/model",
    check=_check,
)
