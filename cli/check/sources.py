"""Which files `egress check` reads: those that are named, those in folders, and standard input."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.check.reading import MAX_BYTES
from cli.errors import SettingsFileError

STANDARD_INPUT: Final = "-"
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""What files in folders end in, as for `kubectl apply -f`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """One file."""

    shown: str
    """What reports call it."""
    path: Path | None
    """Where it is; None for standard input."""
    argument: str
    """The PATH that named it first."""
    content: bytes
    """At most `MAX_BYTES` and one byte."""


def read_sources(arguments: Iterable[str]) -> list[Source]:
    """Every file that the PATHs name, once each, in the order of the PATHs, those of a folder sorted.

    Raises:
        SettingsFileError: a PATH is not there, cannot be read or holds no manifest; all of them at once.
    """
    problems: list[str] = []
    sources: dict[object, Source] = {}
    for argument in arguments:
        for path in _files(argument, problems):
            key = _identity(path)
            if key not in sources and (content := _content(path, problems)) is not None:
                shown = "<stdin>" if path is None else shown_path(path)
                sources[key] = Source(shown=shown, path=path, argument=argument, content=content)
    if problems:
        raise SettingsFileError(usage_report(problems))
    return list(sources.values())


def usage_report(problems: list[str]) -> str:
    """All problems with the PATHs as one text."""
    return "\n".join(["Nothing was judged:", *(f"  {problem}" for problem in dict.fromkeys(problems))])


def shown_path(path: Path) -> str:
    """A path for people: without `./`, without characters that a terminal would act on."""
    text = os.fsencode(path).decode(errors="backslashreplace")
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def _identity(path: Path | None) -> object:
    return STANDARD_INPUT if path is None else os.path.realpath(path)


def _files(argument: str, problems: list[str]) -> Iterator[Path | None]:
    if argument == STANDARD_INPUT:
        yield None
        return
    path = Path(argument)
    try:
        folder = stat.S_ISDIR(os.stat(argument).st_mode)  # noqa: PTH116 Path turns an empty PATH into this folder
    except OSError as error:
        problems.append(f"{shown_path(path) if argument else '(an empty PATH)'}: {error.strerror}")
        return
    if not folder:
        yield path
        return
    before, found = len(problems), False
    for file in _in_folder(path, problems, set()):
        found = True
        yield file
    if not found and len(problems) == before:
        problems.append(f"{shown_path(path)}: holds no *.yaml, *.yml or *.json")


def _in_folder(folder: Path, problems: list[str], seen: set[str]) -> Iterator[Path]:
    """The manifests in a folder and those below, sorted; hidden folders are left out. Links are followed, once."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        _note(error, problems)
        return
    for entry in entries:
        if entry.is_dir():
            if not entry.name.startswith("."):
                yield from _in_folder(entry, problems, seen)
        elif entry.name.lower().endswith(SUFFIXES):
            if entry.is_file() or not entry.exists():  # what is not there is a dead link: reading it says so
                yield entry
            else:
                problems.append(f"{shown_path(entry)}: is no regular file")


def _content(path: Path | None, problems: list[str]) -> bytes | None:
    try:
        if path is None:
            # A shell may start us without standard input; Python has no object for it then.
            return b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_BYTES + 1)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        _note(error, problems)
        return None


def _note(error: OSError, problems: list[str]) -> None:
    name = "<stdin>" if error.filename is None else shown_path(Path(os.fsdecode(error.filename)))
    problems.append(f"{name}: cannot be read: {error.strerror}")
