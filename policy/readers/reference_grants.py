"""ReferenceGrants of the Gateway API: who may refer to what in another namespace."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy.readers.routes import GATEWAY_API
from policy.reading import Reader, root
from policy.rule import Subject

REFERENCE_GRANT = f"{GATEWAY_API}/ReferenceGrant"

_Triple = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One ReferenceGrant, as far as it can be read."""

    namespace: str
    origins: frozenset[_Triple]
    """Group, kind and namespace of who may refer."""
    targets: frozenset[_Triple]
    """Group, kind and name of what may be referred to; an empty name is every object of the kind."""


def grants_in(subjects: Iterable[Subject]) -> Iterator[Grant]:
    """The grants of `subjects`, each of kind `REFERENCE_GRANT`; an entry that cannot be read grants nothing."""
    for subject in subjects:
        yield Grant(
            namespace=subject.ref.namespace,
            origins=frozenset(_entries(subject, "from", "namespace", required=True)),
            targets=frozenset(_entries(subject, "to", "name", required=False)),
        )


def _entries(subject: Subject, field: str, last: str, *, required: bool) -> Iterator[_Triple]:
    reader = Reader()
    for entry in reader.items(reader.field(root(subject.whole), "spec", field)):
        group, kind = (reader.field(entry, key).value for key in ("group", "kind"))
        value = reader.field(entry, last).value
        if value is None and not required:
            value = ""
        if isinstance(group, str) and isinstance(kind, str) and isinstance(value, str):
            yield group, kind, value
