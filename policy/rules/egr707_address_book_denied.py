"""EGR707: a book through which policies let out to what no destination may be."""

from collections.abc import Iterator

from policy.address_findings import NEVER_CLASSES, cluster_range_of, said, said_of_cluster
from policy.destinations import AddressPlace, NamePlace
from policy.destinations.cloud_firewall import address_book
from policy.destinations.walk import Walk
from policy.facts.names import NameClass, classify_name
from policy.facts.ports import DENIED_PORTS, denied_port
from policy.name_findings import NEVER_NAMES
from policy.readers.cloud.address_books import UsedBook, books_in
from policy.readers.cloud.kinds import ADDRESS_BOOK, FIREWALL_POLICIES
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    for book in books_in(subjects):
        if not book.opens_nothing:
            yield from (finding.of(book.subject) for finding in _judge(book, context))


def _judge(book: UsedBook, context: Context) -> Iterator[Finding]:
    walk = Walk()
    ports = address_book(walk, book.subject)
    places = walk.destinations()
    if book.is_destination:
        for place in places.addresses:
            if not place.is_wide:
                yield from _of_address(place, context)
        for place in places.names:
            yield from _of_name(place, context)
    for number in DENIED_PORTS:
        if any(each.holds(number) and not each.is_wide for each in ports):
            yield Finding(path="addressLists", message=f"{number} is the port of {denied_port(number)}")


def _of_address(place: AddressPlace, context: Context) -> Iterator[Finding]:
    classes = NEVER_CLASSES & place.classes
    known = cluster_range_of(place, context.grants)
    if classes:
        yield Finding(path=place.path, message=f"{said(place)} {' and '.join(sorted(classes))}")
    elif known is not None:
        yield Finding(path=place.path, message=said_of_cluster(place, known))


def _of_name(place: NamePlace, context: Context) -> Iterator[Finding]:
    found = classify_name(place.name, context.grants.cluster_domain, context.namespaces)
    # A wildcard over one label opens a whole registry, which EGR706 says.
    if found in NEVER_NAMES and not (place.wildcard and found is NameClass.SINGLE_LABEL):
        yield Finding(path=place.path, message=f"{place.text} {NEVER_NAMES[found]}")


RULE = StackRule(
    id="EGR707",
    name="address-book-denied",
    severity=Severity.BLOCK,
    applies_to=FIREWALL_POLICIES | {ADDRESS_BOOK},
    summary="No book that policies let out to holds an address, a name or a port that nothing can approve: what EGR101 "
    "to EGR103, EGR106, EGR107 and EGR110 say of destinations.",
    why="The book opens the way to the metadata service, to the cluster's own pods or API server, or to a name that "
    "leads wherever its zone says.",
    remediation="list the addresses, the public names and the ports of the outside services themselves",
    example="""\
type: alicloud:cloudfirewall/addressBook:AddressBook
urn: billing
inputs:
  groupName: billing
  groupType: ip
  description: the billing service
  addressLists: [47.96.10.20/32]
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/manage-address-books",
    source="IANA Special-Purpose Address Registries; RFC 6761; the facts of EGR101 to EGR110",
    exceptable=False,
    check=_check,
)
