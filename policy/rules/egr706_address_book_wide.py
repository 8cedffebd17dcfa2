"""EGR706: a book that holds what nobody can answer for, or of which nobody can tell what it holds."""

from collections.abc import Iterator
from typing import Final

from policy.destinations.cloud_firewall import address_book
from policy.destinations.walk import Walk
from policy.facts.addresses import is_wide
from policy.facts.names import is_public_suffix
from policy.readers.cloud.address_books import (
    IPV6_TYPES,
    UNSEEN_TYPES,
    UsedBook,
    books_in,
    has_unknown_entries,
    holds_own_addresses,
)
from policy.readers.cloud.kinds import ADDRESS_BOOK, EIPS, FIREWALL_POLICIES
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.ports import are_wide
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_IPV4: Final = 4
_TAGGED: Final = ("ecsTags", "autoAddTagEcs")


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    for book in books_in(subjects):
        # What is to be dropped, or to come in, may be as wide as it likes.
        if not book.opens_nothing:
            told = Reader()
            _judge(told, book, stack)
            yield from (finding.of(book.subject) for finding in told.findings)


def _judge(told: Reader, book: UsedBook, stack: CloudStack) -> None:
    whole = root(book.subject.whole)
    kind, entries = told.field(whole, "groupType"), told.field(whole, "addressLists")
    said = Reader().text(kind)
    if said in UNSEEN_TYPES:
        told.report(kind, f"{shown(said)} holds whatever is called so, which no program shows")
        return
    if said in IPV6_TYPES:
        told.report(kind, f"{shown(said)}: the NAT boundary does not see IPv6")
        return
    for key in _TAGGED:
        tagged = told.field(whole, key)
        if not is_empty(tagged) and tagged.value not in (0, "0"):
            told.report(tagged, "adds whatever bears a tag, which no program shows")
    if has_unknown_entries(book.subject):
        if not (holds_own_addresses(book.subject, stack) and book.is_source_only):
            told.report(entries, "is not known before the update, so it cannot be judged")
    elif is_empty(entries):
        told.report(entries, "is empty, and what a policy does with it is for the firewall to say")
    _judge_entries(told, book.subject, entries)


def _judge_entries(told: Reader, book: Subject, entries: Node) -> None:
    walk = Walk()
    ports = address_book(walk, book)
    places = walk.destinations()
    told.findings += places.unreadable
    if is_wide(place.network for place in places.addresses):
        listed = shown(", ".join(place.text for place in places.addresses))
        told.report(entries, f"{listed} together are too wide")
    for path in places.any_host:
        told.report(Node(value=None, path=path), "* is every host")
    for place in places.names:
        if place.wildcard and is_public_suffix(place.name):
            told.report(Node(value=None, path=place.path), f"{place.text} is every host under a public suffix")
    for place in places.addresses:
        if place.network.version != _IPV4:
            told.report(Node(value=None, path=place.path), f"{place.text}: the NAT boundary does not see IPv6")
    if are_wide(ports):
        told.report(entries, "holds more than one service's ports")


RULE = StackRule(
    id="EGR706",
    name="address-book-wide",
    severity=Severity.BLOCK,
    applies_to=EIPS | FIREWALL_POLICIES | {ADDRESS_BOOK},
    summary="A book that lets out, or that no policy names yet, holds addresses, names or ports that can be read, and "
    "that somebody can answer for all together. It is not empty.",
    why="A policy that names a book reads narrow whatever the book holds. Narrow blocks add up; a tag lets in whatever "
    "somebody tags; and nobody says what an empty book means.",
    remediation="list the destinations' own addresses or names, one in each entry; addresses of who sends, as blocks "
    "no larger than an IPv4 /16; and write what is for everybody as 0.0.0.0/0 in a policy that drops",
    example="""\
type: alicloud:cloudfirewall/addressBook:AddressBook
urn: news
inputs:
  groupName: news
  groupType: domain
  description: the news
  addressLists: [edition.cnn.com, "*.bbc.co.uk"]
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/manage-address-books",
    source="Cloud Firewall: Manage address books; API 2017-12-07: AddAddressBook; the Public Suffix List",
    check=_check,
)
