"""EGR210: an AuthorizationPolicy that only tries itself out."""

from collections.abc import Iterator

from policy.readers.authorization_policies import AUTHORIZATION_POLICY
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ANNOTATION = "istio.io/dry-run"
_YES = frozenset({"1", "t", "T", "true", "TRUE", "True"})  # as Go's strconv.ParseBool reads it
_NO = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    dry_run = reader.field(root(subject.whole), "metadata", "annotations", _ANNOTATION)
    text = reader.text(dry_run)
    if text in _YES:
        reader.report(dry_run, f"{shown(text)} judges requests and refuses none")
    elif text is not None and text not in _NO:
        reader.report(dry_run, f"{shown(text)} is neither true nor false")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR210",
    name="authorization-dry-run",
    severity=Severity.BLOCK,
    applies_to=frozenset({AUTHORIZATION_POLICY}),
    lockdown=True,
    summary="AuthorizationPolicies are enforced.",
    why="With the annotation the proxy writes down what it would have refused, and lets it pass.",
    remediation="take the annotation istio.io/dry-run away once the logs show no caller that is missing",
    example="""\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: default-deny, namespace: istio-egress}
spec: {}
""",
    url="https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/",
    source="istio/api: annotation/annotations.yaml; istio/istio: pilot/pkg/security/authz/builder/builder.go",
    check=_check,
)
