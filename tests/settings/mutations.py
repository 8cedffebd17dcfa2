"""Every way to get one place of a declaration wrong, found by walking it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from components.settings.plain import is_list, is_map
from components.settings.problems import dotted
from tests.support import Values, changed

Place = tuple[str | int, ...]
_NOTHING = object()

WRONG_VALUES: dict[str, Any] = {
    "null": None,
    "empty text": "",
    "blank": "   ",
    "number": 7,
    "negative": -1,
    "fraction": 0.5,
    "true": True,
    "list": ["x"],
    "map": {"x": "y"},
    "odd text": "?!",
}


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change to one place."""

    place: Place
    what: str
    value: Any = _NOTHING
    renamed: str | None = None

    def __str__(self) -> str:
        """What a test is called."""
        return f"{dotted(self.place)}: {self.what}"

    def of(self, values: Values) -> Values:
        """A mutated copy."""
        return changed(self._apply, values)

    def _apply(self, values: Values) -> None:
        *above, last = self.place
        here: Any = values
        for part in above:
            here = here[part]
        if self.renamed is not None:
            here[self.renamed] = here.pop(last)
        elif self.value is _NOTHING:
            del here[last]
        else:
            here[last] = self.value


def mutations(values: Any, place: Place = ()) -> Iterator[Mutation]:
    """Every mutation of everything below `place`."""
    if is_map(values):
        for key, value in values.items():
            yield Mutation(place=(*place, key), what="removed")
            yield Mutation(place=(*place, key), what="renamed", renamed=_misspelt(key))
            yield from _here(value, (*place, key))
    elif is_list(values):
        for index, value in enumerate(values):
            yield from _here(value, (*place, index))


def _here(value: Any, place: Place) -> Iterator[Mutation]:
    if is_map(value):
        yield Mutation(place=place, what="emptied", value={})
    elif is_list(value):
        yield Mutation(place=place, what="emptied", value=[])
        yield Mutation(place=place, what="an item twice", value=[*value, value[0]])
    for what, wrong in WRONG_VALUES.items():
        yield Mutation(place=place, what=what, value=wrong)
    yield from mutations(value, place)


def _misspelt(key: str) -> str:
    """The key with its last letter twice."""
    return f"{key}{key[-1]}"
