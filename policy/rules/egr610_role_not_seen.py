"""EGR610: a binding to a role that stands nowhere in the stack, so nobody can say here what it gives."""

from collections.abc import Iterator

from policy.readers.rbac import BINDING_KINDS, ROLE_KINDS, RoleBook
from policy.readers.rbac_bindings import binding_of
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    book = RoleBook(subjects)
    for subject in subjects:
        if subject.group_kind not in BINDING_KINDS:
            continue
        binding = binding_of(subject, book)
        strangers = [
            holder.text
            for holder in binding.holders
            if not (holder.is_root or holder.is_everybody or holder.text in context.grants.platform_subjects)
        ]
        if not binding.is_seen and binding.opens is None and strangers:
            message = f"gives {', '.join(strangers)} a role that is not among the objects"
            yield Finding(path="roleRef", message=message).of(subject)


RULE = StackRule(
    id="EGR610",
    name="role-not-seen",
    severity=Severity.WARN,
    applies_to=BINDING_KINDS | ROLE_KINDS,
    summary="The role of a binding is among the objects, or is one that every cluster has.",
    why="A role that stands elsewhere may let somebody write Backends, endpoints or ServiceEntries, and nobody sees it "
    "where the binding is reviewed.",
    remediation="judge the role together with its bindings, or look whether it may write what opens the cluster",
    example="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: apps}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: apps}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, namespace: apps, name: web}]
""",
    url="https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings",
    source="Kubernetes: Using RBAC Authorization",
    check=_check,
)
