"""Cloud Firewall's address books, by what the policies of a stack use them for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from policy.readers.cloud.firewall_policies import FirewallPolicy, Side, policy_of
from policy.readers.cloud.kinds import ADDRESS_BOOK, EIPS, FIREWALL_POLICIES
from policy.readers.cloud.links import CloudStack
from policy.reading import Node, Reader, as_sequence, root
from policy.rule import UNKNOWN, Subject

UNSEEN_TYPES = frozenset({"tag", "asset", "assetIpv6"})
"""Books that hold whatever bears a tag, or was bought."""
IPV6_TYPES = frozenset({"ipv6", "assetIpv6"})


class Role(StrEnum):
    """What a policy takes a book for."""

    SOURCE = "source"
    DESTINATION = "destination"
    PORTS = "destPortGroup"


@dataclass(frozen=True, kw_only=True, eq=False)
class Use:
    """One policy that names a book."""

    policy: FirewallPolicy
    role: Role
    node: Node
    """Where it names it."""
    name: str
    book: Subject | None
    """`None` where the stack does not show it."""


def uses_in(subjects: Iterable[Subject]) -> Iterator[Use]:
    """Every use of a book by a policy, also by one for what comes in."""
    every = tuple(subjects)
    books = {name: subject for subject in every if subject.group_kind == ADDRESS_BOOK for name in _names(subject)}
    for subject in every:
        if subject.group_kind not in FIREWALL_POLICIES:
            continue
        policy = policy_of(subject)
        for role, side in ((Role.SOURCE, policy.source), (Role.DESTINATION, policy.destination)):
            if side.type == "group":
                yield _use(policy, role, side, books)
        if policy.port_group is not None:
            side = Side(type="group", node=policy.port, text=policy.port_group)
            yield _use(policy, Role.PORTS, side, books)


@dataclass(frozen=True, kw_only=True, eq=False)
class UsedBook:
    """A book of the stack and the uses of it that let something out."""

    subject: Subject
    uses: tuple[Use, ...]
    opens_nothing: bool
    """Whether policies use it, and none of them to let out."""

    @property
    def is_destination(self) -> bool:
        """Whether something may go to what it holds, now or once a policy names it."""
        return self.uses == () or any(use.role is Role.DESTINATION for use in self.uses)

    @property
    def is_source_only(self) -> bool:
        """Whether it only says who sends."""
        return self.uses != () and all(use.role is Role.SOURCE for use in self.uses)


def books_in(subjects: Iterable[Subject]) -> Iterator[UsedBook]:
    """Every book of the stack."""
    every = tuple(subjects)
    uses: defaultdict[Subject, list[Use]] = defaultdict(list)
    for use in uses_in(every):
        if use.book is not None:
            uses[use.book].append(use)
    for subject in every:
        if subject.group_kind == ADDRESS_BOOK:
            opening = tuple(use for use in uses[subject] if use.policy.lets_out)
            yield UsedBook(subject=subject, uses=opening, opens_nothing=bool(uses[subject]) and opening == ())


def holds_own_addresses(book: Subject, stack: CloudStack) -> bool:
    """Whether what is not known yet of a book is addresses of EIPs of the stack."""
    leads = stack.follow(book, "addressLists", EIPS, ())
    return has_unknown_entries(book) and leads.is_known and leads.handles != frozenset()


def has_unknown_entries(book: Subject) -> bool:
    """Whether some entry is not known, or the engine shows none of them yet."""
    entries = Reader().field(root(book.whole), "addressLists").value
    items = as_sequence(entries)
    return UNKNOWN in items if items is not None else entries is None or entries is UNKNOWN


def _names(book: Subject) -> Iterator[str]:
    name = Reader().field(root(book.whole), "groupName").value
    if isinstance(name, str):
        yield name


def _use(policy: FirewallPolicy, role: Role, side: Side, books: dict[str, Subject]) -> Use:
    name = side.text or ""
    return Use(policy=policy, role=role, node=side.node, name=name, book=books.get(name))
