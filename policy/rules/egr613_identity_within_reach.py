"""EGR613: somebody who can act as somebody else across the whole cluster, and whom nobody approved."""

from collections.abc import Iterator

from policy.readers.identity_bindings import takers_of
from policy.readers.rbac import BINDING_KINDS, ROLE_KINDS, RoleBook
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    book = RoleBook(subjects)
    for subject in subjects:
        if subject.group_kind not in BINDING_KINDS:
            continue
        for taker in takers_of(subject, book, context):
            if not taker.is_at_will:
                message = f"lets {taker.holder.text} {taker.power} in every namespace"
                yield Finding(path=taker.holder.path, message=message).of(subject)


RULE = StackRule(
    id="EGR613",
    name="identity-within-reach",
    severity=Severity.WARN,
    applies_to=BINDING_KINDS | ROLE_KINDS,
    summary="Who may impersonate, run commands, start pods, read Secrets or change ConfigMaps in every namespace is "
    "approved for it.",
    why="The gateways' and the control planes' namespaces are among them, with their certificates and accounts. Many a "
    "controller needs one of these for its work; each is one more way around the egress gateway.",
    remediation="bind the role in the namespaces that need it, or have the subject approved (platformSubjects)",
    example="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: auditors-see}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: auditors}]
""",
    url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/#kubernetes-rbac-privilege-escalation-risks",
    source="Kubernetes: RBAC good practices, privilege escalation risks",
    check=_check,
)
