"""Address books: places under one name."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf

_MOST_BOOKS: Final = 5000
"""Of an account ("Manage address books", as the number of entries)."""
_MOST_ENTRIES: Final = 2000
_DOMAIN: Final = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?")
"""AddAddressBook: names, and wildcards by their first label."""


@dataclass(kw_only=True)
class AddressBook:
    """A book. Policies know it by its name, everybody else by its id."""

    id: str
    name: str
    kind: str
    description: str
    entries: list[str]

    @property
    def has_wildcards(self) -> bool:
        """Whether it has names whose addresses nobody can look up."""
        return any(each.startswith("*.") for each in self.entries)


class AddressBooks:
    """The books of the account."""

    def __init__(self, *, ids: Ids, references: Callable[[str], int]) -> None:
        """Know nobody's yet.

        Args:
            ids: where ids come from.
            references: how many policies speak of a book of this name.
        """
        self.books: Shelf[AddressBook] = Shelf("ErrorAddressGroupNotExist")
        self._ids, self._references = ids, references

    def named(self, name: str) -> AddressBook:
        """What a policy means (AddControlPolicy, "Error codes")."""
        found = next((each for each in self.books if each.name == name), None)
        if found is None:
            raise Refused("ErrorAddressGroupNotExist", "The address group does not exist.")
        return found

    def actions(self) -> Actions:
        """The calls."""
        return {
            "AddAddressBook": self._add,
            "DescribeAddressBook": self._describe,
            "ModifyAddressBook": self._modify,
            "DeleteAddressBook": self._delete,
        }

    def _add(self, p: Parameters) -> Answer:
        """With the codes of AddAddressBook."""
        if any(each.name == p["GroupName"] for each in self.books):
            raise Refused("ErrorAddressGroupExist", "The address group already exists.")
        if len(self.books) >= _MOST_BOOKS:
            raise Refused("ErrorAddressGroupCountExceed", "The maximum number of address group is exceeded.")
        book = AddressBook(
            id=self._ids.new("book"),
            name=p["GroupName"],
            kind=p["GroupType"],
            description=p["Description"],
            entries=_entries(p["GroupType"], p["AddressList"]),
        )
        self.books.put(book.id, book)
        return {"GroupUuid": book.id}

    def _describe(self, p: Parameters) -> Answer:
        found = self.books.read()
        page, size = int(p.get("CurrentPage", "1")), min(50, int(p.get("PageSize", "10")))
        return {
            "Acls": [self._shown(each) for each in found[(page - 1) * size : page * size]],
            "TotalCount": str(len(found)),
            "PageNo": str(page),
            "PageSize": str(size),
        }

    def _shown(self, book: AddressBook) -> Answer:
        return {
            "GroupUuid": book.id,
            "GroupName": book.name,
            "GroupType": book.kind,
            "Description": book.description,
            "AddressList": [*book.entries],
            "AddressListCount": len(book.entries),
            "AutoAddTagEcs": 0,
            "ReferenceCount": self._references(book.name),
            "TagList": [],
            "TagRelation": "and",
        }

    def _modify(self, p: Parameters) -> Answer:
        """With the codes of ModifyAddressBook."""
        book = self._with_id(p)
        if p["GroupName"] != book.name:  # "Manage address books": a name stays. The document's code is not known here
            raise Refused("ErrorParameters", "The name of an address group cannot be changed.")
        book.description = p["Description"]
        if "AddressList" in p:
            book.entries = _entries(book.kind, p["AddressList"])
        return {}

    def _delete(self, p: Parameters) -> Answer:
        """With the codes of DeleteAddressBook."""
        book = self._with_id(p)
        if self._references(book.name):
            raise Refused("ErrorAddressGroupReference", "The address group is in use and cannot be deleted.")
        self.books.take(book.id)
        return {}

    def _with_id(self, p: Parameters) -> AddressBook:
        found = next((each for each in self.books if each.id == p["GroupUuid"]), None)
        if found is None:  # this product has no 404
            raise Refused("ErrorAddressGroupNotExist", "The address group does not exist.")
        return found


def _entries(kind: str, text: str) -> list[str]:
    entries = [each for each in text.split(",") if each]
    if kind not in _CHECKS:
        raise Refused("ErrorParametersGroupType", "The group type is invalid.")
    is_right, code = _CHECKS[kind]
    if not entries or not all(map(is_right, entries)):
        raise Refused(code, f"Not valid in a book of kind {kind}: {text[:200]}")
    if len(entries) > _MOST_ENTRIES:
        raise Refused("ErrorAddressCountExceed", "The maximum number of addresses is exceeded.")
    return entries


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Network(text)
    except (AddressValueError, NetmaskValueError, ValueError):
        return False
    return True


def _is_domain(text: str) -> bool:
    return _DOMAIN.fullmatch(text) is not None


def _is_ports(text: str) -> bool:
    return re.fullmatch(r"\d{1,5}(/\d{1,5})?", text) is not None


_CHECKS: Final = {
    "ip": (_is_ipv4, "ErrorParametersGroupAddress"),
    "domain": (_is_domain, "ErrorParamDomain"),
    "port": (_is_ports, "ErrorParametersGroupPort"),
}
"""The kinds of books that ours may be, and the code for a wrong entry (AddAddressBook)."""
