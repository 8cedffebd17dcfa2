"""EGR708: a book through which policies let out to private places that nobody approved."""

from collections.abc import Iterator

from policy.address_findings import PRIVATE_CLASSES, cluster_range_of, is_approved, missing_approval, said
from policy.destinations import AddressPlace
from policy.destinations.cloud_firewall import address_book
from policy.destinations.walk import Walk
from policy.facts.names import NameClass, classify_name
from policy.name_findings import is_approved_name
from policy.readers.cloud.address_books import Role, UsedBook, books_in
from policy.readers.cloud.kinds import ADDRESS_BOOK, FIREWALL_POLICIES
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    for book in books_in(subjects):
        if not book.opens_nothing and book.is_destination:
            # Two policies may say the same of it.
            found = {(each.path, each.message): each for ports in _ports(book) for each in _judge(book, ports, context)}
            yield from (finding.of(book.subject) for finding in found.values())


def _ports(book: UsedBook) -> list[frozenset[int]]:
    """The ports on which each policy lets out to the book; empty for those that nobody can list."""
    ranges = [use.policy.ports for use in book.uses if use.role is Role.DESTINATION]
    return [
        frozenset() if each is None or each.is_wide else frozenset(range(each.first, each.last + 1)) for each in ranges
    ] or [frozenset()]


def _judge(book: UsedBook, ports: frozenset[int], context: Context) -> Iterator[Finding]:
    walk = Walk()
    address_book(walk, book.subject, ports)
    places = walk.destinations()
    for place in places.addresses:
        if not place.is_wide and PRIVATE_CLASSES & place.classes:
            yield from _of_address(place, context)
    for place in places.names:
        found = classify_name(place.name, context.grants.cluster_domain, context.namespaces)
        if found is NameClass.SPECIAL_TLD and not is_approved_name(place.name, context.grants):
            yield Finding(path=place.path, message=f"{place.text} is not in the public DNS, and no approval covers it")


def _of_address(place: AddressPlace, context: Context) -> Iterator[Finding]:
    # The cluster's own addresses are never approved: EGR707.
    if cluster_range_of(place, context.grants) is None and not is_approved(place, context.grants):
        kinds = " and ".join(sorted(PRIVATE_CLASSES & place.classes))
        yield Finding(path=place.path, message=f"{said(place)} {kinds}, {missing_approval(place, context.grants)}")


RULE = StackRule(
    id="EGR708",
    name="address-book-private",
    severity=Severity.BLOCK,
    applies_to=FIREWALL_POLICIES | {ADDRESS_BOOK},
    summary="Private addresses, and names that are not in the public DNS, are in a book that policies let out to only "
    "where an approval holds them, on the ports of every such policy.",
    why="Behind a NAT gateway, private addresses are those of networks that the VPC is connected to. They trust who is "
    "inside, and the gateway is.",
    remediation="have the security team approve the range with its ports under privateRanges, or the zone under "
    "privateNames",
    example="""\
type: alicloud:cloudfirewall/addressBook:AddressBook
urn: billing
inputs:
  groupName: billing
  groupType: ip
  description: the billing service
  addressLists: [47.96.10.20/32]
""",
    url="approvals.md#privaterange",
    source="RFC 1918, RFC 6598, RFC 6761, RFC 8375; the facts of EGR108 and EGR109",
    check=_check,
)
