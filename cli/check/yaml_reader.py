"""Reads the documents of a YAML text as kubectl does, and refuses what invites misreading.

The syntax comes from libyaml (PyYAML's C parser), of which kubectl's reader is a port, so both agree on what parses.
Building from events keeps hostile files in bounds: depth and aliases are counted before anything is built from them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

from cli.check.documents import MAX_DEPTH, MAX_REFUSALS, Document, Refusal
from cli.check.scalars import resolve
from cli.plain_data import is_list, is_map
from policy.reading import shown

_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_MAX_ALIASED: Final = 200_000
"""What aliases may stand for in one file: values, long texts counted by their length."""
_TEXT_PER_VALUE: Final = 64
_TAGGED: Final = "a tag, which readers treat differently; write the value without it"
_SEPARATOR_TO_KUBECTL: Final = re.compile(r"^---(?![ \t\r\n]|$)\s*(?:#|$)", re.MULTILINE)
"""Lines that kubectl takes for the end of a document (NewYAMLReader) and libyaml for text."""


class _StopError(Exception):
    """Reading on would not be safe, or would tell nothing new."""


def read_yaml(text: str) -> Iterator[Document]:
    """The documents of `text`, empty ones too. The last one has a refusal where the text cannot be read on."""
    if (found := _SEPARATOR_TO_KUBECTL.search(text)) is not None:
        line = text.count("\n", 0, found.start()) + 1
        why = "a line that kubectl takes for `---` and YAML does not; indent it, or write `---` alone"
        yield Document(index=0, line=line, value=None, refusals=(Refusal(line=line, why=why),))
        return
    yield from _Reader(loader=yaml.CSafeLoader(text)).documents(text)


@dataclass(kw_only=True)
class _Reader:
    """Builds values from libyaml's events, and notes what is refused with its line."""

    loader: Any
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    refused: int = 0
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict[str, tuple[Any, int]])
    size: int = 0
    aliased: int = 0

    def documents(self, text: str) -> Iterator[Document]:
        index = 0
        try:
            self.loader.get_event()
            while (event := self.loader.get_event()).__class__ is not yaml.StreamEndEvent:
                self.anchors, self.refusals = {}, []
                event = self.loader.get_event()
                line = event.start_mark.line + 1
                value = self._node(event, 0)
                self.loader.get_event()
                yield Document(index=index, line=line, value=value, refusals=tuple(self.refusals))
                self.refusals = []
                index += 1
        except _StopError:
            pass
        except yaml.YAMLError as error:
            self.refusals.append(_syntax(text, error))
        else:
            return
        yield Document(index=index, line=self.refusals[-1].line, value=None, refusals=tuple(self.refusals))

    def _refuse(self, event: Any, why: str) -> None:
        self.refused += 1
        if self.refused >= MAX_REFUSALS:
            self._stop(event, f"{why}; the rest of the file was not read")
        self.refusals.append(Refusal(line=event.start_mark.line + 1, why=why))

    def _stop(self, event: Any, why: str) -> NoReturn:
        self.refusals.append(Refusal(line=event.start_mark.line + 1, why=why))
        raise _StopError

    def _node(self, event: Any, depth: int) -> Any:
        kind = event.__class__
        if kind is yaml.AliasEvent:
            return self._alias(event)
        before = self.size
        self.size += 1
        if kind is yaml.ScalarEvent:
            value = self._scalar(event)
            self.size += len(event.value) // _TEXT_PER_VALUE
        elif depth >= MAX_DEPTH:
            self._stop(event, f"more than {MAX_DEPTH} levels")
        else:
            if event.tag is not None:
                self._refuse(event, _TAGGED)
            value = self._mapping(depth + 1) if kind is yaml.MappingStartEvent else self._sequence(depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.size - before)
        return value

    def _scalar(self, event: Any) -> Any:
        if event.tag is not None:
            if event.tag != _TEXT_TAG:
                self._refuse(event, _TAGGED)
            return event.value
        if not event.implicit[0]:
            return event.value
        scalar = resolve(event.value)
        if scalar.refused:
            self._refuse(event, f"{scalar.refused}; write text in quotes, or another number")
        return scalar.value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            self._refuse(event, "an alias without its anchor before it; text that begins with `*` needs quotes")
            return None
        value, size = self.anchors[event.anchor]
        self.size += size
        self.aliased += size
        if self.aliased > _MAX_ALIASED:
            self._stop(event, "aliases that stand for too much")
        return value

    def _sequence(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while (event := self.loader.get_event()).__class__ is not yaml.SequenceEndEvent:
            items.append(self._node(event, depth))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] | None = None
        while (event := self.loader.get_event()).__class__ is not yaml.MappingEndEvent:
            if event.__class__ is yaml.ScalarEvent and event.value == "<<" and event.implicit[0] and event.tag is None:
                if merged is not None:
                    self._refuse(event, "a second `<<`; write one, with a list")
                merged = self._merged(event, depth)
                if not values.keys().isdisjoint(merged):
                    # kubectl's reader lets `<<` win over the keys before it; YAML lets the keys win.
                    self._refuse(event, "a `<<` that holds keys which stand before it; write `<<` first")
                continue
            key = self._key(event, depth)
            if key in values:
                self._refuse(event, f"the key {shown(key)} is written twice; write it once")
            values[key] = self._node(self.loader.get_event(), depth)
        return values if merged is None else {**merged, **values}

    def _merged(self, key: Any, depth: int) -> dict[str, Any]:
        value = self._node(self.loader.get_event(), depth)
        maps = value if is_list(value) else [value]
        merged: dict[str, Any] = {}
        for each in reversed(maps):
            if is_map(each):
                merged.update(each)
            else:
                self._refuse(key, "a `<<` that holds no map")
        return merged

    def _key(self, event: Any, depth: int) -> str:
        key = self._node(event, depth)
        if event.__class__ is yaml.ScalarEvent:
            # kubectl's reader makes text of numbers; of those that have one spelling only, so do we.
            is_number = isinstance(key, int) and not isinstance(key, bool) and f"{key}" == event.value
            if isinstance(key, str) or is_number:
                return f"{key}"
        self._refuse(event, "a key that is not text; write it in quotes")
        return ""


def _syntax(text: str, error: yaml.YAMLError) -> Refusal:
    """The first error of syntax. What is never closed is noticed only at the end; where it begins helps more."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        return Refusal(line=line, why=f"not YAML: {error.reason}")
    if not isinstance(error, yaml.MarkedYAMLError):
        return Refusal(line=1, why="not YAML")
    marks = [mark.line + 1 for mark in (error.problem_mark, error.context_mark) if mark is not None]
    lines = text.count("\n") + (not text.endswith("\n"))
    line = next((mark for mark in marks if mark <= lines), lines)
    problem = " ".join(part for part in (error.context, error.problem) if part)
    return Refusal(line=line, why=f"not YAML: {problem}")
