"""Finds the line of a field. Only called for documents in which something is wrong: it parses again."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from cli.check.documents import Document
from cli.check.json_reader import without_surrogates
from policy.reading import join

_INDEX: Final = re.compile(r"\[(\d+)\]")


@dataclass(kw_only=True)
class Place:
    """A value, its line, and the places inside it."""

    line: int
    fields: dict[str, tuple[int, "Place"]] = field(default_factory=dict[str, "tuple[int, Place]"])
    """By key: the key's line and the value."""
    items: list["Place"] = field(default_factory=list["Place"])


def places_of(text: str, documents: list[Document]) -> dict[int, Place]:
    """The places of `documents`, by index. What libyaml cannot read (some JSON) is left out.

    Args:
        text: the file that they were read from.
        documents: some of its documents, all without refusals.
    """
    places: dict[int, Place] = {}
    apart = [document for document in documents if document.span is not None]
    for document in apart:
        start, end = document.span or (0, 0)
        places |= _placed(without_surrogates(text[start:end]), {0: document.index}, document.line - 1)
    together = {document.index: document.index for document in documents if document.span is None}
    return places | (_placed(text, together, 0) if together else {})


def line_of(place: Place, path: str) -> int:
    """The line of `path` below `place`, or of its nearest ancestor that is there.

    Args:
        place: the document.
        path: as rules write it: `spec.endpoints[0].ip`, `metadata.labels['a/b']`.
    """
    line, rest = place.line, path
    while rest != "":
        step = _step(place, rest)
        if step is None:
            break
        line, place, rest = step
    return line


def _step(place: Place, rest: str) -> tuple[int, Place, str] | None:
    index = _INDEX.match(rest)
    if index is not None and int(index[1]) < len(place.items):
        item = place.items[int(index[1])]
        return item.line, item, rest[index.end() :].removeprefix(".")
    # A key may hold dots and brackets, so the longest one that the path begins with is meant.
    for key in sorted(place.fields, key=len, reverse=True):
        shown = join("", key)
        if rest == shown or rest.startswith((f"{shown}.", f"{shown}[")):
            line, below = place.fields[key]
            return line, below, rest[len(shown) :].removeprefix(".")
    return None


def _placed(text: str, wanted: dict[int, int], lines_before: int) -> dict[int, Place]:
    """The places of the documents that are keys of `wanted`, under what stands there."""
    places: dict[int, Place] = {}
    loader: Any = yaml.CSafeLoader(text)
    builder = _Builder(loader=loader, lines_before=lines_before + 1)
    index = -1
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent) and len(places) < len(wanted):
            if isinstance(event, yaml.DocumentStartEvent):
                index += 1
                if index in wanted:
                    builder.anchors = {}
                    places[wanted[index]] = builder.place(loader.get_event())
    except yaml.YAMLError:
        pass  # Only a later document, or JSON, is not YAML; the line of the document has to do.
    return places


@dataclass(kw_only=True)
class _Builder:
    """Builds places from libyaml's events. The documents were read before, so their depth is known to be small."""

    loader: Any
    lines_before: int
    anchors: dict[str, Place] = field(default_factory=dict[str, Place])

    def place(self, event: Any) -> Place:
        if isinstance(event, yaml.AliasEvent):
            return self.anchors[event.anchor or ""]
        place = Place(line=self._line(event))
        if isinstance(event, yaml.SequenceStartEvent):
            while not isinstance(item := self.loader.get_event(), yaml.SequenceEndEvent):
                place.items.append(self.place(item))
        elif isinstance(event, yaml.MappingStartEvent):
            self._fill(place)
        if event.anchor is not None:
            self.anchors[event.anchor] = place
        return place

    def _fill(self, place: Place) -> None:
        merged: list[Place] = []
        while not isinstance(key := self.loader.get_event(), yaml.MappingEndEvent):
            line, value = self.place(key).line, self.place(self.loader.get_event())
            if key.value == "<<" and key.implicit[0]:
                merged = value.items or [value]
            else:
                place.fields[key.value] = (line, value)
        for each in merged:
            place.fields = {**each.fields, **place.fields}

    def _line(self, event: Any) -> int:
        return event.start_mark.line + self.lines_before
