"""What a rule is, what it judges and what it finds: the vocabulary of the pack. Pure data."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Final


class Unknown(Enum):
    """The type of `UNKNOWN`."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""Stands in an object for a value that only the update will know."""

ANY_KIND: Final = "*"
"""In `applies_to`: objects of every kind."""


class Severity(StrEnum):
    """What a violation does: stop the run, or only be said."""

    BLOCK = "block"
    WARN = "warn"


class Posture(StrEnum):
    """How far a stack is: watching its traffic, or cutting it."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, kw_only=True)
class ObjectRef:
    """Which object. `namespace` and `name` are empty where it has or says none; a cloud resource has a logical name."""

    kind: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        path = "/".join(part for part in (self.namespace, self.name) if part != "")
        return f"{self.kind or 'object'} {path or '(unnamed)'}"


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a program says of a resource beside its properties."""

    urn: str
    leads_to: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """By property: the URNs of the resources that its value comes from, also while nobody knows the value."""
    protected: bool | None = None
    """Whether Pulumi refuses to delete it; `None` where nobody says."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """One object to judge. Subjects are compared by identity, so that work on one can be remembered."""

    group: str
    """The API group, without the version: `core` for the core group, empty if it cannot be read. Of a resource of
    Alibaba Cloud `alicloud:` and the module of its type, such as `alicloud:vpc`."""
    version: str
    """The version of the API group, empty if it cannot be read."""
    ref: ObjectRef
    """What the object is called in messages and in exceptions."""
    whole: object
    """The object as plain data (dict, list, str, numbers, bool, None), `UNKNOWN` for unknown values."""
    origin: str = ""
    """Where the object comes from: the URN of its resource, or a file and line."""
    item: str = ""
    """Where the object stands in the list that it came in, such as `items[1]`; empty outside lists."""
    unreadable: str = ""
    """Why the text of the object could not be read; empty where it could."""
    registration: Registration | None = None
    """Of an object that a program registers; `None` for a manifest."""

    @property
    def group_kind(self) -> str:
        """How `Rule.applies_to` names the kind: group/Kind."""
        return f"{self.group}/{self.ref.kind}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One defect that a rule found."""

    path: str
    """Where in the object, for example `spec.endpoints[0].ip.address`; empty for the object as a whole."""
    message: str
    """What is wrong there, with the offending value."""
    ref: ObjectRef | None = None
    """The object; an object rule leaves it out, because it judges only one."""
    origin: str = ""
    """The origin of that object."""

    def of(self, subject: Subject) -> "Finding":
        """The same about `subject`: what a rule about more than one object says."""
        return replace(self, ref=subject.ref, origin=subject.origin)


@dataclass(frozen=True, kw_only=True)
class RuleException:
    """Excuses one object from one rule, for a while."""

    label: str
    """What the approvals call it."""
    rule: str
    """The id of the rule."""
    ref: ObjectRef
    """The object; nothing but an exact match counts."""
    owner: str
    reason: str
    ticket: str
    expires: dt.date
    """The last day on which it holds."""

    def has_expired(self, today: dt.date) -> bool:
        """Whether it no longer holds on `today`."""
        return self.expires < today


@dataclass(frozen=True, kw_only=True)
class ClusterRange:
    """Addresses of the cluster itself."""

    network: IPv4Network | IPv6Network
    what: str
    """Who has them, for messages: `pods`, `Services`, `nodes`, `the API server`."""


@dataclass(frozen=True, kw_only=True)
class PrivateRange:
    """Private addresses that may be reached."""

    network: IPv4Network | IPv6Network
    ports: frozenset[int] | None = None
    """On these ports only; `None` is any port that is not denied anyway."""


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A taint of the egress nodes."""

    key: str
    value: str | None = None
    """`None` where the settings leave it open, so that any value may be meant."""
    effect: str


@dataclass(frozen=True, kw_only=True)
class Grants:
    """What the security team approved for a stack, as far as rules ask. Nothing, by default."""

    exceptions: tuple[RuleException, ...] = ()
    cluster_domain: str = "cluster.local"
    cluster_ranges: tuple[ClusterRange, ...] = ()
    """The cluster's own addresses, which nothing can approve as a destination."""
    public_ports: frozenset[int] = frozenset()
    """TCP ports on which a gateway may reach any public address, because a destination's addresses move."""
    private_ranges: tuple[PrivateRange, ...] = ()
    private_names: frozenset[str] = frozenset()
    """Suffixes of names in special top-level domains, such as `corp.internal`; matched at a label's boundary."""
    unix_sockets: frozenset[str] = frozenset()
    """Sockets that may be connected to, by their exact path."""
    dynamic_resolvers: frozenset[str] = frozenset()
    """Backends of type DynamicResolver that may exist, as `namespace/name` or `namespace/*`."""
    platform_subjects: frozenset[str] = frozenset()
    """Who may write what opens the cluster: `User:name`, `Group:name`, `ServiceAccount:namespace/name`."""
    backend_api: bool = False
    """Whether Envoy Gateway's Backend API may be on."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What is known about the stack besides its objects."""

    today: dt.date
    grants: Grants = Grants()
    posture: Posture = Posture.ENFORCE
    client_namespaces: frozenset[str] = frozenset()
    """Namespaces whose settings give them the role `client`."""
    namespaces: frozenset[str] = frozenset()
    """Every namespace that the settings name."""
    gateway_namespaces: frozenset[str] = frozenset()
    """Where the gateways on the egress nodes run; empty where no settings say so."""
    fetcher_namespaces: frozenset[str] = frozenset()
    """Where istiod runs, if it fetches keys of issuers whose addresses move."""
    egress_taints: tuple[Taint, ...] = ()
    """What keeps other pods off the egress nodes; empty where no settings say so."""
    egress_labels: frozenset[tuple[str, str]] = frozenset()
    """By what keys and values gateways find the egress nodes; empty where no settings say so."""
    firewall_expected: bool = False
    """Whether the settings have Cloud Firewall stand at the NAT gateway."""
    addresses_protected: bool = True
    """Whether nobody may delete the addresses; not where the settings say so."""
    gateway_protected: bool = True
    """The same of the NAT gateway and its firewall."""
    require_declarations: bool = False
    """Whether each ServiceEntry, Backend and ASMEgressTrafficPolicy must say who answers for it."""
    raised: frozenset[str] = frozenset()
    """Ids of rules that block here although they would warn. There is no way to lower one."""
    problems: tuple[str, ...] = ()
    """Why the approvals or the settings of this stack could not be read; each one blocks."""


ObjectCheck = Callable[[Subject, Context], Iterable[Finding]]
StackCheck = Callable[[tuple[Subject, ...], Context], Iterable[Finding]]
AuditCheck = Callable[[frozenset[str], Context], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """One rule and everything that its documentation says. Each is of one of the three kinds below."""

    id: str
    """EGR and three digits; never used again once retired."""
    name: str
    """Short, in kebab case."""
    severity: Severity
    summary: str
    """One sentence: what must not be."""
    why: str
    """What happens otherwise."""
    remediation: str
    """What to write instead, in the imperative, without a full stop."""
    example: str
    """A corrected object, as YAML."""
    url: str
    """Where to read on: an `https` address, or a page of this project, relative to docs/reference."""
    source: str
    """Where the facts of the rule come from."""
    applies_to: frozenset[str] = frozenset({ANY_KIND})
    """The kinds that it judges, as group/Kind of any version."""
    lockdown: bool = False
    """Whether it cuts traffic, so that it only warns in posture `observe`."""
    exceptable: bool = True
    """Whether an exception can be granted. Not where no approval could make the thing safe."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ObjectRule(Rule):
    """Judges one object by itself."""

    check: ObjectCheck


@dataclass(frozen=True, kw_only=True, eq=False)
class StackRule(Rule):
    """Judges the objects of a stack together; gets those of `applies_to`."""

    check: StackCheck


@dataclass(frozen=True, kw_only=True, eq=False)
class AuditRule(Rule):
    """Judges the approvals after all other rules; gets the labels of the exceptions that excused something."""

    check: AuditCheck


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A finding with everything that a reader of it needs."""

    rule: Rule
    severity: Severity
    ref: ObjectRef
    path: str
    message: str
    origin: str

    def __str__(self) -> str:
        where = f"{self.ref}: {self.path}" if self.path != "" else f"{self.ref}"
        return f"{self.rule.id} {self.rule.name}: {where}: {self.message}. Instead: {self.rule.remediation}."
