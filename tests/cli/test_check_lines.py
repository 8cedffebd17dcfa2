"""The lines that `egress check` gives for the fields that rules name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests import write

from cli.check.checking import check
from cli.check.context import context_of
from cli.check.lines import line_of, places_of
from cli.check.reading import read_documents
from cli.plain_data import is_map
from policy.reading import join

TEXT = """\
# a comment
---
kind: First
---
kind: Second
metadata:
  labels:
    a/b: 1
    a.b: 2
    "a": {b: 3}
spec: &spec
  endpoints:
    - ip:
        address: 1.2.3.4
    -
      ip: {address: 5.6.7.8,
           port: 80}
copy: *spec
merged:
  <<: *spec
  own: 1
? odd
: 2
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", 5),
        ("kind", 5),
        ("metadata", 6),
        ("metadata.labels['a/b']", 8),
        ("metadata.labels.a.b", 10),
        ("metadata.labels['a.b']", 9),
        ("metadata.name", 6),
        ("spec.endpoints", 12),
        ("spec.endpoints[0]", 13),
        ("spec.endpoints[0].ip.address", 14),
        ("spec.endpoints[0].ip.port", 13),
        ("spec.endpoints[1].ip.port", 17),
        ("spec.endpoints[1].ip.port.deeper[7]", 17),
        ("spec.endpoints[2].ip", 12),
        ("copy.endpoints[1].ip", 16),
        ("merged.endpoints[0]", 13),
        ("merged.own", 21),
        ("odd", 22),
        ("nothing", 5),
        ("]", 5),
        ("[0]", 5),
    ],
)
def test_the_nearest_line_is_found(path: str, line: int) -> None:
    """Guards against an annotation at another field than the one that is wrong."""
    documents = [document for document in read_documents(TEXT.encode()) if document.index == 2 or document.line == 5]
    place = places_of(TEXT, documents)[documents[0].index]
    assert line_of(place, path) == line


def test_json_has_lines_too() -> None:
    """Guards against JSON whose findings all stand in line 1, also behind escapes that YAML does not know."""
    text = '{"a": "\\ud83d\\ude00"}\n\n{"b": 1,\n "c": [1,\n 2]} {"d":\n {"e": 1}}'
    documents = read_documents(text.encode())
    places = places_of(text, documents)
    assert [line_of(places[0], "a"), line_of(places[1], "b"), line_of(places[1], "c[1]")] == [1, 3, 5]
    assert [line_of(places[2], ""), line_of(places[2], "d.e")] == [5, 6]


def test_only_asked_documents_are_placed() -> None:
    """Guards against work for what is clean, and against a document that takes the lines of another."""
    documents = read_documents(b"a: 1\n---\nb: 1\n---\nc: 1\n")
    places = places_of("a: 1\n---\nb: 1\n---\nc: 1\n", [documents[1]])
    assert [(index, line_of(place, "b")) for index, place in places.items()] == [(1, 3)]


def test_what_cannot_be_placed_stands_where_its_document_begins(tmp_path: Path) -> None:
    """Guards against a crash where libyaml refuses what JSON allows: keys of more than 1,024 characters."""
    text = f'\n\n{{"{"k" * 2_000}": 1,\n "kind": 1}}'
    write(tmp_path, {"a.json": text})
    (found,) = check([str(tmp_path / "a.json")], context_of(None)).found
    assert found.line == 3


KEYS = st.text(alphabet="ab.[]'/ é", min_size=1, max_size=4)
VALUES = st.recursive(
    st.integers(0, 9),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=50)
@given(value=st.dictionaries(KEYS, VALUES, min_size=1, max_size=3), data=st.data())
def test_any_path_leads_to_its_line(value: dict[str, Any], data: st.DataObject) -> None:
    """Guards against keys with dots, brackets and quotes that lead elsewhere."""
    path, holder, slot = data.draw(st.sampled_from(list(_leaves(value, ""))))
    holder[slot] = "the marked value"
    text = json.dumps(value, indent=1)
    line = line_of(places_of(text, read_documents(text.encode()))[0], path)
    assert "the marked value" in text.splitlines()[line - 1]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Path, holder and slot of each number."""
    slots: dict[Any, Any] = value if is_map(value) else {index: value[index] for index in range(len(value))}
    for slot, below in slots.items():
        here = join(path, slot) if isinstance(slot, str) else f"{path}[{slot}]"
        if isinstance(below, int):
            yield here, value, slot
        else:
            yield from _leaves(below, here)
