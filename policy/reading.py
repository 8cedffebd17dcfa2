"""Reading untrusted objects: what a rule judges is there with its type, or there is a finding."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from policy.rule import UNKNOWN, Finding

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MAX_SHOWN = 80


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A value inside an object and the path to it. A value that is not there is None, as null is."""

    value: object
    path: str


class Reader:
    """Walks an object and collects a finding for every value that is unknown or has the wrong type.

    What is not there is no finding: whether something must be there is for the rule to say.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._judged: set[str] = set()

    def report(self, node: Node, message: str) -> None:
        """Add a finding about `node`."""
        self.findings.append(Finding(path=node.path, message=message))

    def field(self, node: Node, *keys: str) -> Node:
        """The value under `keys`, one inside the other."""
        for key in keys:
            mapping = self.mapping(node)
            node = Node(value=mapping.get(key), path=join(node.path, key))
        return node

    def items(self, node: Node) -> list[Node]:
        """The items of a list; none if there is no list."""
        values = as_sequence(node.value)
        if values is None:
            self._wrong(node, "a list")
            return []
        return [Node(value=value, path=f"{node.path}[{index}]") for index, value in enumerate(values)]

    def mapping(self, node: Node) -> Mapping[object, object]:
        """The fields of an object; none if there is no object."""
        fields = as_mapping(node.value)
        if fields is None:
            self._wrong(node, "an object")
            return {}
        return fields

    def text(self, node: Node) -> str | None:
        """A string, or None if there is none."""
        if isinstance(node.value, str):
            return node.value
        self._wrong(node, "text")
        return None

    def flag(self, node: Node) -> bool | None:
        """A boolean, or None if there is none."""
        if isinstance(node.value, bool):
            return node.value
        self._wrong(node, "true or false")
        return None

    def number(self, node: Node) -> int | None:
        """A whole number, or None if there is none."""
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            return node.value
        self._wrong(node, "a whole number")
        return None

    def _wrong(self, node: Node, wanted: str) -> None:
        if node.path in self._judged:
            return
        self._judged.add(node.path)
        if node.value is UNKNOWN:
            self.report(node, "is not known before the update, so it cannot be judged")
        elif node.value is not None:
            self.report(node, f"must be {wanted}, not {shown(node.value)}")


def is_empty(node: Node) -> bool:
    """Whether there is no value, or a list or an object without anything in it."""
    items, fields = as_sequence(node.value), as_mapping(node.value)
    return node.value is None or (items is not None and not items) or (fields is not None and not fields)


def root(value: object) -> Node:
    """Where reading an object starts."""
    return Node(value=value, path="")


def join(path: str, key: str) -> str:
    """The path of the field `key` of the object at `path`: `spec.type`, `metadata.labels['a/b']`."""
    if not _is_plain(key):
        return f"{path}[{shown(key)}]"
    return f"{path}.{key}" if path != "" else key


@lru_cache(maxsize=4096)
def _is_plain(key: str) -> bool:
    return _PLAIN_KEY.fullmatch(key) is not None


def as_mapping(value: object) -> Mapping[object, object] | None:
    """`value` if it is an object."""
    # Nearly always a dict, and asking for that is far cheaper.
    is_mapping = type(value) is dict or isinstance(value, Mapping)
    return cast("Mapping[object, object]", value) if is_mapping else None


def as_sequence(value: object) -> Sequence[object] | None:
    """`value` if it is a list."""
    if type(value) is list or (isinstance(value, Sequence) and not isinstance(value, str | bytes)):
        return cast("Sequence[object]", value)
    return None


def shown(value: object) -> str:
    """`value` for a message: short, on one line, without control characters."""
    if isinstance(value, str):
        text = repr(value)
    elif isinstance(value, bool | int | float):
        text = f"{value}"
    else:
        text = type(value).__name__
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
