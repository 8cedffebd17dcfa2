"""Cloud Firewall's allowlist at the NAT gateway: address books, a policy for each kind of traffic, a last one for all.

Words and conditions: Cloud Firewall, API 2017-12-07, CreateNatFirewallControlPolicy and AddAddressBook. What shares
who sends, how it is recognised and its port shares a book and a policy; the port stands in the policy, so no host is
opened on another's. A further host changes its book and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from components.plan.cloud.seen_as import inside_cidrs
from components.plan.cloud.traffic import Seen, Source, Traffic, traffic
from components.plan.groups import split
from components.plan.names import kube_name
from components.settings import Settings
from components.settings.cloud.account import Cloud
from components.settings.cloud.firewall import CloudFirewall

_ANY: Final = "ANY"
_BY_SNI: Final = {443: "HTTPS", 465: "SMTPS", 993: "IMAPS", 995: "POPS"}
"""As what TLS is recognised, by its port; on any other it is `SSL` (Cloud Firewall, "How access control policies
work")."""
FQDN: Final = 0
"""`DomainResolveType`: the name in the request or in the SNI. Wildcards need it."""
DNS: Final = 1
"""`DomainResolveType`: the addresses that the name has, at most 500, asked for every five minutes."""


@dataclass(frozen=True, kw_only=True)
class AddressBook:
    """Places under one name, by which policies refer to them."""

    name: str
    """Its name, of which the account has one; it never changes."""
    kind: Literal["ip", "domain"]
    entries: tuple[str, ...]
    """Sorted, and never empty."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """An access control policy at the NAT boundary, for what goes out."""

    name: str
    description: str
    action: Literal["accept", "log", "drop"]
    """`log` lets pass, and says so."""
    source: AddressBook | None
    """`None`: everybody."""
    destination: AddressBook | None
    """`None`: everywhere."""
    protocol: Literal["TCP", "ANY"]
    application: str
    port: int | None
    """`None`: every port."""
    resolved_by: int | None
    """`FQDN` or `DNS`; `None` where the destination is no name."""
    order: int
    """Its place; 1 is asked first, and the first that fits decides."""

    @property
    def spread(self) -> int:
        """How much of the quota it takes: sources times destinations (Cloud Firewall, "Subscription")."""
        return _entries(self.source) * self.destinations

    @property
    def destinations(self) -> int:
        """To how many places it is."""
        return _entries(self.destination)


@dataclass(frozen=True, kw_only=True)
class FirewallPlan:
    """What stands between the NAT gateway and the internet."""

    name: str
    """The NAT firewall's: letters, digits and underscores."""
    policies: tuple[Policy, ...]
    """In their order: what is declared, and at last one for everything."""
    internet_boundary: bool
    propagation_seconds: int
    """How long a change takes to be in force everywhere."""

    @property
    def sources(self) -> tuple[AddressBook, ...]:
        """The books of who sends, by name."""
        return _each_once(policy.source for policy in self.policies)

    @property
    def destinations(self) -> tuple[AddressBook, ...]:
        """The books of what is reached, by name."""
        return _each_once(policy.destination for policy in self.policies)


def plan_firewall(settings: Settings, cloud: Cloud, firewall: CloudFirewall) -> FirewallPlan:
    """The allowlist for everything that is declared and leaves by the NAT gateway."""
    cluster = settings.cluster.name
    allowed = [
        _Allowed(kind=kind, source=_source_book(settings, kind.source), destination=book)
        for kind, places in sorted(_by_kind(traffic(settings)).items())
        for book in _books(cluster, kind, places, cloud)
    ]
    return FirewallPlan(
        name=f"ce_{cluster}".replace("-", "_"),
        policies=(
            *(each.policy(cluster, order) for order, each in enumerate(allowed, start=1)),
            _catch_all(cluster, len(allowed) + 1, enforced=settings.egress.posture == "enforce"),
        ),
        internet_boundary=firewall.internet_boundary,
        propagation_seconds=firewall.propagation_seconds,
    )


@dataclass(frozen=True, kw_only=True, order=True)
class _Kind:
    """What shares a policy."""

    source: Source
    seen: Seen
    is_name: bool
    port: int

    @property
    def label(self) -> str:
        how = "names" if self.is_name else "addresses"
        return f"{self.source}-{self.seen}-{how}-{self.port}"

    @property
    def application(self) -> str:
        if self.seen is Seen.BYTES or not self.is_name:
            return _ANY
        return "HTTP" if self.seen is Seen.HTTP else _BY_SNI.get(self.port, "SSL")

    @property
    def resolved_by(self) -> int | None:
        if not self.is_name:
            return None
        return DNS if self.seen is Seen.BYTES else FQDN


@dataclass(frozen=True, kw_only=True)
class _Allowed:
    kind: _Kind
    source: AddressBook
    destination: AddressBook

    def policy(self, cluster: str, order: int) -> Policy:
        return Policy(
            name=self.destination.name,
            description=f"cluster-egress {cluster}: {self.kind.label}",
            action="accept",
            source=self.source,
            destination=self.destination,
            protocol="TCP",
            application=self.kind.application,
            port=self.kind.port,
            resolved_by=self.kind.resolved_by,
            order=order,
        )


def _by_kind(leaving: Iterable[Traffic]) -> dict[_Kind, list[str]]:
    found: defaultdict[_Kind, list[str]] = defaultdict(list)
    for each in leaving:
        found[_Kind(source=each.source, seen=each.seen, is_name=each.is_name, port=each.port)].append(each.place)
    return found


def _books(cluster: str, kind: _Kind, places: Sequence[str], cloud: Cloud) -> Iterator[AddressBook]:
    """A kind's books. Half of one that overflows moves to a new one, which is in force before they leave the old one.

    A new book's leaf has its old one's name before its own, or `1` where that is `0`: so the last name comes first.
    """
    most = cloud.limits.domains_per_book if kind.is_name else cloud.limits.addresses_per_book
    leaves = split(places, key=str, fits=lambda some: len(some) <= most)
    for leaf, members in sorted(leaves.items(), reverse=True):
        yield AddressBook(
            name=kube_name("ce", cluster, kind.label, leaf),
            kind="domain" if kind.is_name else "ip",
            entries=tuple(sorted(members)),
        )


def _source_book(settings: Settings, source: Source) -> AddressBook:
    return AddressBook(
        name=kube_name("ce", settings.cluster.name, "from", source),
        kind="ip",
        entries=tuple(sorted(inside_cidrs(settings, of_pods=source is Source.PODS))),
    )


def _catch_all(cluster: str, order: int, *, enforced: bool) -> Policy:
    return Policy(
        name=kube_name("ce", cluster, "everything-else"),
        description=f"cluster-egress {cluster}: everything else",
        action="drop" if enforced else "log",
        source=None,
        destination=None,
        protocol="ANY",
        application=_ANY,
        port=None,
        resolved_by=None,
        order=order,
    )


def _each_once(books: Iterable[AddressBook | None]) -> tuple[AddressBook, ...]:
    return tuple(book for _, book in sorted({book.name: book for book in books if book is not None}.items()))


def _entries(book: AddressBook | None) -> int:
    return 1 if book is None else len(book.entries)
