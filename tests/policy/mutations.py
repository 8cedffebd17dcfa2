"""Objects that are almost those of a fixture."""

import copy
from collections.abc import Iterator
from typing import Any, cast


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything inside an object."""
    if isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            yield (*path, key)
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(cast("list[object]", value)):
            yield (*path, index)
            yield from places(inner, (*path, index))


def changed_at(value: Any, path: tuple[str | int, ...], new: object) -> Any:
    """A copy of an object with another value in one place."""
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return changed
