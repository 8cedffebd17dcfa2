"""Which roles (rbac.authorization.k8s.io) may write what opens the cluster."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from policy.readers.rbac_identities import BUILT_IN, Taking, takings_of
from policy.readers.selectors import selects_all
from policy.reading import Node, Reader, as_mapping, is_empty, root
from policy.rule import Finding, Subject

ROLE: Final = "rbac.authorization.k8s.io/Role"
CLUSTER_ROLE: Final = "rbac.authorization.k8s.io/ClusterRole"
ROLE_BINDING: Final = "rbac.authorization.k8s.io/RoleBinding"
CLUSTER_ROLE_BINDING: Final = "rbac.authorization.k8s.io/ClusterRoleBinding"
ROLE_KINDS: Final = frozenset({ROLE, CLUSTER_ROLE})
BINDING_KINDS: Final = frozenset({ROLE_BINDING, CLUSTER_ROLE_BINDING})
AGGREGATE_TO: Final = "rbac.authorization.k8s.io/aggregate-to-"
"""How the label begins that adds a ClusterRole's rules to the built-in role named after it."""
TENANT_ROLES: Final = ("admin", "edit", "view")
"""The built-in ClusterRoles that tenants get; they collect the rules of ClusterRoles that ask for it by label."""
_BECOMING: Final = frozenset({"admin", "edit"})
ANY: Final = "*"

_WRITE: Final = frozenset({"create", "update", "patch"})
_REMOVE: Final = frozenset({"delete", "deletecollection"})
_RISE: Final = frozenset({"bind", "escalate"})
_BECOME: Final = frozenset({"impersonate"})
_ACTS: Final = {_REMOVE: "delete", _RISE: "give itself", _BECOME: "impersonate"}
"""How messages call them; everything else is to write something."""
_ADMISSION: Final = "admissionregistration.k8s.io"
_WEBHOOKS: Final = frozenset({"mutatingwebhookconfigurations", "validatingwebhookconfigurations"})
"""A controller writes its certificate into its own webhook; a rule that only names such objects is that."""
_ENVOY_GATEWAY: Final = "gateway.envoyproxy.io"
_ASM: Final = "istio.alibabacloud.com"
_ISTIO: Final = "networking.istio.io"
_RBAC: Final = "rbac.authorization.k8s.io"

OPENING: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        # CVE-2021-25740: who writes endpoints picks where a Service, and a Gateway before it, leads.
        ("", "endpoints"): _WRITE,
        ("discovery.k8s.io", "endpointslices"): _WRITE,
        (_ENVOY_GATEWAY, "backends"): _WRITE,
        (_ENVOY_GATEWAY, "envoyextensionpolicies"): _WRITE,
        (_ENVOY_GATEWAY, "envoypatchpolicies"): _WRITE,
        (_ENVOY_GATEWAY, "envoyproxies"): _WRITE,
        (_ASM, "asmegresstrafficpolicies"): _WRITE,
        # A pod with an EIP, or with an address of the egress gateways' vSwitches.
        ("alibabacloud.com", "podeips"): _WRITE,
        ("network.alibabacloud.com", "podnetworkings"): _WRITE,
        # Its pods mount any Secret of istio-system, run as root and on the node's network, wherever it says.
        (_ASM, "istiogateways"): _WRITE,
        ("extensions.istio.io", "trafficextensions"): _WRITE,
        ("extensions.istio.io", "wasmplugins"): _WRITE,
        (_ISTIO, "envoyfilters"): _WRITE,
        (_ISTIO, "proxyconfigs"): _WRITE,
        (_ISTIO, "serviceentries"): _WRITE,
        (_ISTIO, "workloadentries"): _WRITE,
        (_ISTIO, "workloadgroups"): _WRITE,
        # A Sidecar can let its namespace reach anything, and can be all that keeps it from that.
        (_ISTIO, "sidecars"): _WRITE | _REMOVE,
        # What guards the others: without it nothing is refused.
        (_ADMISSION, "mutatingwebhookconfigurations"): _WRITE | _REMOVE,
        (_ADMISSION, "validatingadmissionpolicies"): _WRITE | _REMOVE,
        (_ADMISSION, "validatingadmissionpolicybindings"): _WRITE | _REMOVE,
        (_ADMISSION, "validatingwebhookconfigurations"): _WRITE | _REMOVE,
        # Who may give himself any role, or pass for anybody, may do all of the above.
        (_RBAC, "clusterroles"): _RISE,
        (_RBAC, "roles"): _RISE,
        ("", "groups"): _BECOME,
        ("", "users"): _BECOME,
    }
)
"""By API group and resource: the verbs with which somebody opens a way out, takes away what shuts one, or gets there.

Not among them are NetworkPolicies: the built-in roles `admin` and `edit` may write those, and rules judge what is in
them. Nor the impersonation of ServiceAccounts, which is in the same roles: for that see `rbac_identities`.
"""
_FOR_SOME: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        (_ENVOY_GATEWAY, "securitypolicies"): _REMOVE,
        ("gateway.networking.k8s.io", "referencegrants"): _WRITE,
        ("security.istio.io", "authorizationpolicies"): _REMOVE,
    }
)
"""The same, of what teams may well get in roles of their own, but not everybody with a built-in role."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """That a rule of a role lets somebody write what opens the cluster."""

    path: str
    """The rule."""
    power: str
    """The worst that it lets somebody do: `write gateway.envoyproxy.io/backends`, `impersonate users`."""
    by_wildcard: bool
    """Whether the rule includes such a resource without naming it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Role:
    """A role as rules need it."""

    grants: tuple[Grant, ...]
    grants_for_some: tuple[Grant, ...]
    """What nobody need approve, but what does not belong into the built-in roles of tenants."""
    takings: tuple[Taking, ...]
    """The ways that it gives to become somebody else."""
    labels: Mapping[object, object]
    """What ClusterRoles that collect rules select it by."""
    collects: tuple[Node, ...]
    """The selectors of the ClusterRoles whose rules it gets besides its own."""
    unreadable: tuple[Finding, ...]


def role_of(subject: Subject) -> Role:
    """Read `subject`, of one of `ROLE_KINDS`."""
    reader = Reader()
    whole = root(subject.whole)
    rules = reader.items(reader.field(whole, "rules"))
    collects = reader.items(reader.field(whole, "aggregationRule", "clusterRoleSelectors"))
    labels = reader.mapping(reader.field(whole, "metadata", "labels"))
    read = [_read(reader, rule) for rule in rules]
    return Role(
        grants=tuple(grant for rule in read for grant in _grants_of(rule, OPENING)),
        grants_for_some=tuple(grant for rule in read for grant in _grants_of(rule, _FOR_SOME)),
        takings=tuple(taking for rule in read for taking in takings_of(*rule.texts)),
        labels=labels,
        collects=tuple(collects),
        unreadable=tuple(reader.findings),
    )


class RoleBook:
    """The roles of a stack, found by what a binding says."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        """Read the roles among `subjects`."""
        self._roles: defaultdict[tuple[str, str], list[Role]] = defaultdict(list)
        for subject in subjects:
            if subject.group_kind in ROLE_KINDS:
                namespace = subject.ref.namespace if subject.group_kind == ROLE else ""
                self._roles[namespace, subject.ref.name].append(role_of(subject))
        self._sources = [
            (key, role)
            for key, roles in self._roles.items()
            for role in roles
            if key[0] == "" and (role.grants != () or role.takings != () or role.collects != ())
        ]
        self._found: dict[tuple[str, str], str | None] = {}

    def __contains__(self, key: tuple[str, str]) -> bool:
        """Whether there is a role of that namespace (empty for a ClusterRole) and name."""
        return key in self._roles

    def power_of(self, namespace: str, name: str) -> str | None:
        """What a role lets somebody do that opens the cluster, with all that it collects; None if nothing.

        Args:
            namespace: of a Role, empty for a ClusterRole.
            name: the role's. One of `TENANT_ROLES` need not be among the roles, but what adds to it is.
        """
        key = namespace, name
        if key not in self._found:
            grants = [grant for role in self._roles_behind(key) for grant in role.grants]
            self._found[key] = grants[0].power if grants else None
        return self._found[key]

    def takings_of(self, namespace: str, name: str) -> tuple[Taking, ...]:
        """The ways to become somebody else that a role gives, with all that it collects; arguments as `power_of`."""
        built_in = BUILT_IN if namespace == "" and name in _BECOMING else ()
        return *built_in, *(taking for role in self._roles_behind((namespace, name)) for taking in role.takings)

    def _roles_behind(self, start: tuple[str, str]) -> Iterator[Role]:
        """The roles of that key, and those whose rules come to them."""
        seen = {start}
        todo = [start]
        while todo:
            key = todo.pop()
            roles = self._roles.get(key, [])
            yield from roles
            if key[0] == "":
                more = {other for other, source in self._sources if _adds(source, key[1], roles)} - seen
                seen |= more
                todo += more


def _adds(source: Role, name: str, roles: list[Role]) -> bool:
    """Whether the rules of the ClusterRole `source` come to `roles`, the ClusterRoles called `name`."""
    # Of the built-in roles, edit gets what view gets, and admin what edit gets.
    built_in = TENANT_ROLES[TENANT_ROLES.index(name) :] if name in TENANT_ROLES else ()
    if any(source.labels.get(f"{AGGREGATE_TO}{each}") == "true" for each in built_in):
        return True
    return any(_selects(selector, source.labels) for role in roles for selector in role.collects)


def selects_every_role(selector: Node) -> bool:
    """Whether a selector of ClusterRoles asks nothing of their labels."""
    return is_empty(selector) or (as_mapping(selector.value) is not None and selects_all(Reader(), selector))


def _selects(selector: Node, labels: Mapping[object, object]) -> bool:
    """Whether `selector` may select `labels`: what is not plain `matchLabels` may select anything."""
    fields = as_mapping(selector.value)
    wanted = None if fields is None else as_mapping(fields.get("matchLabels"))
    if wanted is None or not wanted:
        return True
    return all(labels.get(key) == value for key, value in wanted.items())


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """A rule of a role."""

    path: str
    texts: tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]
    """Its API groups, resources, verbs and names of objects."""


def _read(reader: Reader, rule: Node) -> _Rule:
    groups, resources, verbs, objects = (
        _texts(reader, reader.field(rule, key)) for key in ("apiGroups", "resources", "verbs", "resourceNames")
    )
    return _Rule(path=rule.path, texts=(groups, resources, verbs, objects))


def _grants_of(rule: _Rule, table: Mapping[tuple[str, str], frozenset[str]]) -> list[Grant]:
    groups, resources, verbs, objects = rule.texts
    is_own = objects != frozenset() and "" not in objects and verbs.isdisjoint({"create", ANY})
    found: list[Grant] = []
    for (group, plural), opening in table.items():
        if is_own and group == _ADMISSION and plural in _WEBHOOKS:
            continue
        # A subresource (`backends/status`) is no part of what a proxy or a controller acts on.
        named = group in groups and plural in resources
        by_wildcard = (group in groups or ANY in groups) and (plural in resources or ANY in resources)
        if (named or by_wildcard) and (ANY in verbs or not opening.isdisjoint(verbs)):
            resource = plural if group == "" else f"{group}/{plural}"
            act = _ACTS.get(opening, "write")
            found.append(Grant(path=rule.path, power=f"{act} {resource}", by_wildcard=not named))
    # One is enough to say, and what the rule does not name is worse.
    return sorted(found, key=lambda grant: not grant.by_wildcard)[:1]


def _texts(reader: Reader, node: Node) -> frozenset[str]:
    return frozenset(text for item in reader.items(node) if (text := reader.text(item)) is not None)
