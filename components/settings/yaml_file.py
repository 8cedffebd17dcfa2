"""Reads a YAML file of ours that the engine never sees: approvals, and files that a stack file includes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml
import yaml12

from components.settings.problems import Path as KeyPath
from components.settings.problems import Problem, SettingsError


def read_yaml(path: Path, *, file: str, if_missing: str) -> tuple[Any, list[Problem]]:
    """The plain values of a file; nothing in it may be read in two ways.

    Args:
        path: the file.
        file: how the report names it.
        if_missing: what to do where there is no such file.

    Returns:
        The values, and a problem for each key that is written twice (a reader takes the last, a reviewer sees the
        first) and for a second document.

    Raises:
        SettingsError: the file is missing or is not YAML, or holds what none of our files needs: anchors, aliases,
            tags, keys that are not text, `secure:` values.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # Before any alias is followed: a few of them can stand for more than memory holds.
        unwanted = list(_unwanted_events(text))
        documents: list[Any] = [] if unwanted else list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
        unwanted += [each for document in documents for each in _unwanted_keys(document, ())]
        values = None if unwanted else yaml12.parse_yaml(text)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise _refused(file, [((), "there is no such file", if_missing)]) from error
    except (ValueError, yaml.YAMLError) as error:
        raise _refused(file, [((), f"is not YAML: {' '.join(str(error).split())}", "valid YAML")]) from error
    if unwanted:
        raise _refused(file, unwanted)
    twice = [each for document in documents for each in _repeated(document, ())]
    if len(documents) > 1:
        twice.append(((), "holds a second document, which is not read", "one document"))
    return values, _problems(file, twice)


_DEEPEST: Final = 50
_Found = tuple[KeyPath, str, str]


def _unwanted_events(text: str) -> Iterator[_Found]:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        line = 1 if event.start_mark is None else event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:  # the reader of nodes crashes on what the reader of events takes
            yield (
                (),
                f"is nested deeper than {_DEEPEST} levels in line {line}",
                "fewer levels; none of our files needs so many",
            )
            return
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            yield (), f"has an anchor or alias in line {line}", "the value itself, in each place"
        elif getattr(event, "tag", None) is not None:
            yield (), f"has a tag in line {line}", "the value without it, in quotes if it is text"


def _unwanted_keys(node: Any, path: KeyPath) -> Iterator[_Found]:
    for key, value, below in _items(node, path):
        if key is not None and (not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT):
            yield path, f"has a key that is not text, in line {key.start_mark.line + 1}", "a name, in quotes"
        elif key is not None and key.value == "secure":
            yield path, "holds a secret", "the secret in the stack file under `secrets`, and its name here"
        else:
            yield from _unwanted_keys(value, below)


def _repeated(node: Any, path: KeyPath) -> Iterator[_Found]:
    seen: set[str] = set()
    for key, value, below in _items(node, path):
        if key is not None and key.value in seen:
            yield below, "is written twice, so one of them is not read", "one of the two"
        if key is not None:
            seen.add(key.value)
        yield from _repeated(value, below)


def _items(node: Any, path: KeyPath) -> Iterator[tuple[Any, Any, KeyPath]]:
    """What is directly in a node: key (`None` in a list), value, and the value's path."""
    if isinstance(node, yaml.SequenceNode):
        yield from ((None, item, (*path, index)) for index, item in enumerate(node.value))
    elif isinstance(node, yaml.MappingNode):
        yield from ((key, value, (*path, str(key.value))) for key, value in node.value)


_TEXT: Final = "tag:yaml.org,2002:str"


def _refused(file: str, found: Iterable[_Found]) -> SettingsError:
    return SettingsError(_problems(file, found))


def _problems(file: str, found: Iterable[_Found]) -> list[Problem]:
    return [Problem(file=file, path=path, wrong=wrong, instead=instead) for path, wrong, instead in found]
