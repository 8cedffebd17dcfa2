"""Whom a RoleBinding or ClusterRoleBinding gives what."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy.readers.rbac import CLUSTER_ROLE_BINDING, TENANT_ROLES, RoleBook
from policy.readers.rbac_identities import Taking
from policy.reading import Node, Reader, root, shown
from policy.rule import Finding, Subject

_MASTERS: Final = "Group:system:masters"
_EVERYBODY: Final = frozenset(
    {
        "Group:system:authenticated",
        "Group:system:serviceaccounts",
        "Group:system:unauthenticated",
        "User:system:anonymous",
    }
)
_BUILT_IN: Final = ("Group:system:", "User:system:")
_ACCOUNTS_OF_NAMESPACE: Final = "Group:system:serviceaccounts:"
_ACCOUNT_AS_USER: Final = "system:serviceaccount:"
_KINDS: Final = ("User", "Group", "ServiceAccount")
_CLUSTER_ADMIN: Final = "cluster-admin"
_KNOWN_READERS: Final = frozenset(
    {
        *TENANT_ROLES,  # what adds to them is searched for
        "system:auth-delegator",
        "system:basic-user",
        "system:discovery",
        "system:monitoring",
        "system:public-info-viewer",
        "system:service-account-issuer-discovery",
    }
)
"""ClusterRoles that every cluster has and that open nothing (Kubernetes: Default roles and role bindings)."""

_KNOWN_LOCAL_READERS: Final = frozenset({("kube-system", "extension-apiserver-authentication-reader")})
"""The same of Roles, by namespace; extension API servers are told to bind this one (Kubernetes: Aggregation layer)."""


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Somebody who gets a role."""

    path: str
    text: str
    """As approvals name somebody: `User:name`, `Group:name`, `ServiceAccount:namespace/name`."""

    @property
    def is_root(self) -> bool:
        """Whether the API server lets them do anything anyway (Kubernetes: the group `system:masters`)."""
        return self.text == _MASTERS

    @property
    def is_everybody(self) -> bool:
        """Whether nobody decides who that is: everyone, or every account of a namespace."""
        return self.text in _EVERYBODY or self.text.startswith(_ACCOUNTS_OF_NAMESPACE)

    @property
    def is_built_in(self) -> bool:
        """Whether it is a part of Kubernetes itself, such as its scheduler or its kubelets."""
        return self.text.startswith(_BUILT_IN) and not self.is_everybody

    def is_of(self, namespace: str) -> bool:
        """Whether it is an account of `namespace`, or all of them."""
        return self.text == f"{_ACCOUNTS_OF_NAMESPACE}{namespace}" or self.text.startswith(
            f"ServiceAccount:{namespace}/"
        )


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a binding gives, and to whom."""

    opens: str | None
    """What its role lets them do that opens the cluster; None if nothing, as far as anybody can see here."""
    is_seen: bool
    """Whether its role is among the objects, or one that every cluster has."""
    takings: tuple[Taking, ...]
    """The ways that its role gives to become somebody else."""
    holders: tuple[Holder, ...]
    """Nobody, where the role gives nothing of the above and is seen."""
    unreadable: tuple[Finding, ...]


def binding_of(subject: Subject, book: RoleBook) -> Binding:
    """Read `subject`, of one of `BINDING_KINDS`, whose role is in `book` if it is anywhere."""
    reader = Reader()
    whole = root(subject.whole)
    reference = reader.field(whole, "roleRef")
    kind, name = (reader.field(reference, key) for key in ("kind", "name"))
    for node in (kind, name):
        if reader.text(node) is None and node.value is None and not reader.findings:
            reader.report(node, "is missing")
    is_local = kind.value == "Role" and subject.group_kind != CLUSTER_ROLE_BINDING
    key = subject.ref.namespace if is_local else "", f"{name.value}"
    is_known = key in _KNOWN_LOCAL_READERS if is_local else key[1] in _KNOWN_READERS
    opens, is_seen = book.power_of(*key), key in book or is_known
    if key == ("", _CLUSTER_ADMIN):
        opens, is_seen = "do everything", True
    takings = book.takings_of(*key)
    # Who gets a role that opens nothing is nobody's concern here.
    is_judged = opens is not None or takings != () or not is_seen
    holders = tuple(_holders(reader, whole)) if is_judged else ()
    return Binding(opens=opens, is_seen=is_seen, takings=takings, holders=holders, unreadable=tuple(reader.findings))


def _holders(reader: Reader, whole: Node) -> Iterator[Holder]:
    for item in reader.items(reader.field(whole, "subjects")):
        kind, name, namespace = (reader.text(reader.field(item, key)) for key in ("kind", "name", "namespace"))
        if kind is None or name is None:
            if not reader.findings:
                reader.report(item, "is nobody")
        elif kind not in _KINDS:
            reader.report(item, f"{shown(kind)} is no kind of subject")
        elif kind == "ServiceAccount":
            yield Holder(path=item.path, text=f"{kind}:{namespace or ''}/{name}")
        elif kind == "User" and name.startswith(_ACCOUNT_AS_USER):
            account = name.removeprefix(_ACCOUNT_AS_USER).replace(":", "/", 1)
            yield Holder(path=item.path, text=f"ServiceAccount:{account}")
        else:
            yield Holder(path=item.path, text=f"{kind}:{name}")
