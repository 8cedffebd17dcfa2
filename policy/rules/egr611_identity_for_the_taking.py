"""EGR611: everybody, or a stranger to the gateways' namespaces, who can act as somebody else there."""

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
            if taker.is_at_will:
                who = f"{taker.holder.text}{', which is everybody,' if taker.holder.is_everybody else ''}"
                yield Finding(path=taker.holder.path, message=f"lets {who} {taker.power}").of(subject)


RULE = StackRule(
    id="EGR611",
    name="identity-for-the-taking",
    severity=Severity.BLOCK,
    applies_to=BINDING_KINDS | ROLE_KINDS,
    summary="Nobody but their own accounts and who is approved may impersonate, run commands, read Secrets, start pods "
    "or change ConfigMaps in the namespaces of gateways and control planes; nowhere may everybody do so.",
    why="Whoever can act as the gateway, as its control plane or as an approved account needs no permission of his "
    "own: the certificates, the configuration of the mesh and the way out are then his.",
    remediation="bind a role that only reads, or bind it to an account of the namespace itself; have a subject of the "
    "platform or of CI approved (platformSubjects)",
    example="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: auditors-see, namespace: istio-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: auditors}]
""",
    url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/#kubernetes-rbac-privilege-escalation-risks",
    source="Kubernetes: RBAC good practices, privilege escalation risks; user-facing roles",
    check=_check,
)
