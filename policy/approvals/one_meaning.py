"""Does an approvals file say everything once? A reader takes the last of two keys, and a reviewer sees the first."""

from collections.abc import Iterator
from typing import Any

import yaml

from components.settings.problems import Path

_Found = Iterator[tuple[Path, str, str]]


def ambiguities(text: str) -> list[tuple[Path, str, str]]:
    """Every key that is written twice, and a second document: path, what is wrong, what to write instead.

    Raises:
        yaml.YAMLError: the text is not YAML.
    """
    documents: list[Any] = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    found = [((), "holds a second document, which is not read", "one document")] if len(documents) > 1 else []
    return [*found, *(each for document in documents for each in _repeated(document, ()))]


def _repeated(node: Any, path: Path) -> _Found:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated(item, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield (*path, name), "is written twice, so one of them is not read", "one of the two"
            seen.add(name)
            yield from _repeated(value, (*path, name))
