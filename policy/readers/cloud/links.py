"""Which resource of a stack a property leads to: as the program says, and by ids where they are known."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from policy.readers.cloud.kinds import INTERNET_POLICY, NAT_GATEWAY, NETWORK
from policy.reading import as_mapping, as_sequence
from policy.rule import Subject

_ID: Final = "id"
_FURTHER_IDS: Final = {
    INTERNET_POLICY: ("aclUuid",),
    NAT_GATEWAY: ("snatTableIds", "forwardTableIds"),
    NETWORK: ("routeTableId",),
}
"""Ids of what comes with a resource and is registered nowhere."""


@dataclass(frozen=True, kw_only=True)
class Leads:
    """Where a property leads."""

    handles: frozenset[str]
    """Resources of the stack, as `CloudStack.handle_of` names them, and ids of others."""
    is_known: bool = True
    """Whether that is all, or something in it cannot be followed."""


class CloudStack:
    """The resources of a stack, by what leads to them."""

    def __init__(self, subjects: Iterable[Subject]) -> None:
        self._subjects = tuple(subjects)
        self._by_handle = {self.handle_of(subject): subject for subject in self._subjects}
        self._by_id = {found: self.handle_of(subject) for subject in self._subjects for found in _ids_of(subject)}

    def handle_of(self, subject: Subject) -> str:
        """What names `subject`: its URN, or its id where no program registers it."""
        if subject.registration is not None:
            return subject.registration.urn
        return next(_ids_of(subject), f"{subject.ref}")

    def find(self, handle: str) -> Subject | None:
        """The resource that `handle` names, if the stack shows it."""
        return self._by_handle.get(handle)

    def each(self, kinds: Iterable[str]) -> Iterator[Subject]:
        """The resources of some kinds."""
        wanted = frozenset(kinds)
        return (subject for subject in self._subjects if subject.group_kind in wanted)

    def follow(self, subject: Subject, key: str, kinds: Iterable[str], values: Sequence[object] | None = None) -> Leads:
        """Where a property of `subject` leads, as far as to resources of `kinds`.

        Args:
            subject: the resource.
            key: a property at its top, which holds an id or a list of ids, or holds them somewhere.
            kinds: what the ids are of.
            values: the ids, if they stand deeper; `UNKNOWN` for unknown ones.
        """
        wanted = frozenset(kinds)
        given = [each for each in (_values(subject, key) if values is None else values) if each not in (None, "")]
        said = () if subject.registration is None else subject.registration.leads_to.get(key, ())
        declared = {urn for urn in said if urn in self._by_handle and self._by_handle[urn].group_kind in wanted}
        ids = [value for value in given if isinstance(value, str)]
        found = {self._by_id[each] for each in ids if each in self._by_id}
        strange = {each for each in ids if each not in self._by_id}
        unknown = len(given) - len(ids)
        # An id that nobody here has may be that of a resource whose id is not known here, and that is not meant by
        # another value.
        if len(strange) <= len(declared - found) - unknown:
            strange = set[str]()
        # A new resource's id is no value at all while the engine previews.
        unfollowed = unknown if given else len(set(said) - declared)
        return Leads(
            handles=frozenset(declared | found | strange),
            is_known=unfollowed <= (len(declared) if given else 0),
        )


def _ids_of(subject: Subject) -> Iterator[str]:
    whole = as_mapping(subject.whole) or {}
    for key in (_ID, *_FURTHER_IDS.get(subject.group_kind, ())):
        value = whole.get(key)
        if isinstance(value, str):
            yield from (part for part in value.split(",") if part != "")


def _values(subject: Subject, key: str) -> Sequence[object]:
    value = (as_mapping(subject.whole) or {}).get(key)
    items = as_sequence(value)
    return [value] if items is None else items
