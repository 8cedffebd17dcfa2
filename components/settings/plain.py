"""Plain values as a stack file holds them, before any model has looked at them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from components.settings.problems import Path, Problem


def is_map(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a plain value is a map."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether a plain value is a list."""
    return isinstance(value, list | tuple)


def at(values: Any, *path: str | int) -> Any:
    """What stands at a path of keys; `None` if nothing does."""
    here: Any = values
    for part in path:
        here = here.get(str(part)) if is_map(here) else None
    return here


def blanks(values: Mapping[str, Any], *, known: Sequence[Problem], file: str) -> list[Problem]:
    """Keys with nothing behind them, less those of which a `known` problem speaks.

    Also an optional key: whoever wrote it meant something, and empty never means `anything`.
    """
    spoken_of = {problem.path[:length] for problem in known for length in range(len(problem.path) + 1)}
    ends = {problem.path for problem in known}
    return [
        Problem(file=file, path=path, wrong="nothing is written here", instead="a value, or leave the key out")
        for path in _blank_paths(values, (), ends)
        if path and path not in spoken_of
    ]


def _blank_paths(value: Any, path: Path, ends: set[Path]) -> Iterator[Path]:
    if path in ends:
        return
    if value is None or value in ({}, []):
        yield path
    elif is_map(value):
        for key, item in value.items():
            yield from _blank_paths(item, (*path, key), ends)
    elif is_list(value):
        for index, item in enumerate(value):
            yield from _blank_paths(item, (*path, index), ends)
