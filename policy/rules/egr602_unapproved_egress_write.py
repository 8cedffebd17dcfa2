"""EGR602: somebody who may write what opens the cluster, and whom nobody approved for it."""

from collections.abc import Iterator

from policy.readers.rbac import BINDING_KINDS, ROLE_KINDS, RoleBook
from policy.readers.rbac_bindings import Holder, binding_of
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    book = RoleBook(subjects)
    for subject in subjects:
        if subject.group_kind in BINDING_KINDS:
            yield from (finding.of(subject) for finding in _judge(subject, book, context))


def _judge(subject: Subject, book: RoleBook, context: Context) -> Iterator[Finding]:
    binding = binding_of(subject, book)
    yield from binding.unreadable
    for holder in binding.holders:
        if binding.opens is not None and not _may(holder, context):
            who = f"{holder.text}, which is everybody," if holder.is_everybody else holder.text
            message = f"lets {who} {binding.opens}, and is not approved"
            yield Finding(path=holder.path, message=message)
        elif not binding.is_seen and holder.is_everybody:
            message = f"gives {holder.text}, which is everybody, a role that is not among the objects"
            yield Finding(path=holder.path, message=message)


def _may(holder: Holder, context: Context) -> bool:
    return holder.is_root or (not holder.is_everybody and holder.text in context.grants.platform_subjects)


RULE = StackRule(
    id="EGR602",
    name="unapproved-egress-write",
    severity=Severity.BLOCK,
    applies_to=BINDING_KINDS | ROLE_KINDS,
    summary="Nobody may write Backends, endpoints, ServiceEntries and what else opens the cluster but who is approved "
    "for it, and never everybody.",
    why="Whoever may write one of these objects picks where traffic goes, and nothing later asks again: a Backend "
    "needs no ReferenceGrant to lead to another namespace's Service, to the node or to the metadata service. Holders "
    "that every cluster has built in stand in no manifest and are not judged: system:masters, the controllers of the "
    "control plane, and whom a cloud made an administrator.",
    remediation="bind the role to a subject of the platform or of CI, and have it approved (platformSubjects); for a "
    "controller's own account ask for an exception instead, because platformSubjects also lets it past the admission "
    "policy",
    example="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: backend-viewer}
rules: [{apiGroups: [gateway.envoyproxy.io], resources: [backends], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: everybody-sees-backends}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: backend-viewer}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: system:authenticated}]
""",
    url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    source="Envoy Gateway: Backend routing, security considerations; Kubernetes: Using RBAC Authorization",
    check=_check,
)
