"""Reads a YAML file of ours that the engine never sees: approvals, and files that a stack file includes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
import yaml12

from components.settings.problems import Path as KeyPath
from components.settings.problems import Problem, SettingsError


def read_yaml(path: Path, *, file: str, if_missing: str) -> tuple[Any, list[Problem]]:
    """The plain values of a file, and what in it can be read in two ways.

    A reader takes the last of two equal keys and a reviewer sees the first, so a key that is written twice is a
    problem, as is a second document.

    Args:
        path: the file.
        file: how the report names it.
        if_missing: what to do where there is no such file.

    Raises:
        SettingsError: the file is missing, cannot be read, or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values, found = yaml12.parse_yaml(text), list(_ambiguities(text))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise _whole(file, "there is no such file", if_missing) from error
    except OSError as error:
        raise _whole(file, f"cannot be read: {error.strerror}", "a file that can be read") from error
    except (ValueError, yaml.YAMLError) as error:
        raise _whole(file, f"is not YAML: {' '.join(str(error).split())}", "valid YAML") from error
    return values, [Problem(file=file, path=where, wrong=wrong, instead=instead) for where, wrong, instead in found]


_Found = Iterator[tuple[KeyPath, str, str]]


def _ambiguities(text: str) -> _Found:
    documents: list[Any] = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    if len(documents) > 1:
        yield (), "holds a second document, which is not read", "one document"
    for document in documents:
        yield from _repeated(document, ())


def _repeated(node: Any, path: KeyPath) -> _Found:
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


def _whole(file: str, wrong: str, instead: str) -> SettingsError:
    return SettingsError([Problem(file=file, path=(), wrong=wrong, instead=instead)])
