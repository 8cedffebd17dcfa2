"""EGR601: a role of tenants that may write what opens the cluster."""

from collections.abc import Iterator

from policy.readers.rbac import AGGREGATE_TO, CLUSTER_ROLE, ROLE_KINDS, TENANT_ROLES, role_of, selects_every_role
from policy.reading import Node, Reader, join
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_LABELS = "metadata.labels"


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    role = role_of(subject)
    yield from role.unreadable
    for grant in role.grants:
        if grant.by_wildcard:
            yield Finding(path=grant.path, message=f"lets its holders {grant.power}, by a wildcard")
    if subject.group_kind != CLUSTER_ROLE:
        return
    reader = Reader()
    for name in TENANT_ROLES:
        key = f"{AGGREGATE_TO}{name}"
        label = Node(value=role.labels.get(key), path=join(_LABELS, key))
        grants = (*role.grants, *role.grants_for_some)
        if reader.text(label) == "true" and grants:
            reader.report(label, f"lets everybody with the role {name} {grants[0].power}")
    for selector in role.collects:
        if selects_every_role(selector):
            reader.report(selector, "collects the rules of every ClusterRole")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR601",
    name="broad-egress-write",
    severity=Severity.BLOCK,
    applies_to=ROLE_KINDS,
    summary="Writing Backends, endpoints, ServiceEntries and what else opens the cluster is in no wildcard and in none "
    "of the built-in roles admin, edit and view.",
    why="Whoever may write one of these objects picks where traffic goes, past every review of the declared "
    "destinations. By a wildcard or an aggregated role tenants get that without anybody having decided it "
    "(CVE-2021-25740 was that for endpoints).",
    remediation="name the API groups and resources, and give those that open the cluster a role of their own without "
    "an aggregate-to label",
    example="""\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: backend-editor}
rules:
  - apiGroups: [gateway.envoyproxy.io]
    resources: [backends]
    verbs: [get, list, watch, create, update, patch, delete]
""",
    url="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
    source="CVE-2021-25740; Kubernetes: RBAC good practices, user-facing roles; Envoy Gateway: Backend routing, "
    "security considerations",
    check=_check,
)
