"""EGR725: a book that holds more than Cloud Firewall takes. A warning: the update fails, and opens nothing."""

from collections.abc import Iterator
from typing import Final

from components.settings.cloud.limits import Limits
from policy.readers.cloud.kinds import ADDRESS_BOOK
from policy.reading import Reader, as_sequence, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_PUBLISHED: Final = Limits.model_construct()
_LIMITS: Final[dict[object, int]] = {
    "ip": _PUBLISHED.addresses_per_book,
    "ipv6": _PUBLISHED.addresses_per_book,
    "domain": _PUBLISHED.domains_per_book,
}


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader, whole = Reader(), root(subject.whole)
    limit = _LIMITS.get(reader.field(whole, "groupType").value)
    entries = reader.field(whole, "addressLists")
    held = len(as_sequence(entries.value) or ())
    if limit is not None and held > limit:
        yield Finding(path=entries.path, message=f"holds {held} entries, of which the firewall takes {limit}")


RULE = ObjectRule(
    id="EGR725",
    name="address-book-full",
    severity=Severity.WARN,
    applies_to=frozenset({ADDRESS_BOOK}),
    summary="A book holds no more addresses or names than Cloud Firewall takes.",
    why="The book is refused in the middle of the update: what it should have opened stays closed, and what comes "
    "after it in the order is not written.",
    remediation="write several books, and a policy for each",
    example="""\
type: alicloud:cloudfirewall/addressBook:AddressBook
urn: news
inputs: {groupName: news, groupType: domain, description: news, addressLists: [edition.cnn.com]}
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/manage-address-books",
    source="Cloud Firewall: Manage address books",
    check=_check,
)
