"""Files that a stack file includes: destinations and backends that a team keeps for itself, or that are many.

The engine hands a stack's config to the program in one environment variable, and Linux allows 128 KiB there: about
490 destinations. What is included does not pass through it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from components.settings.plain import is_list, is_map
from components.settings.problems import Path as KeyPath
from components.settings.problems import Problem, SettingsError, did_you_mean
from components.settings.types import is_included_name
from components.settings.yaml_file import read_yaml

SECTIONS: Final = ("backends", "destinations")
"""What an included file may hold."""


@dataclass(kw_only=True)
class Gathered:
    """A declaration with everything that it includes, and which entry came from which file."""

    values: dict[str, Any]
    problems: list[Problem] = field(default_factory=list[Problem])
    origins: dict[KeyPath, str] = field(default_factory=dict[KeyPath, str])

    def at_origin(self, problem: Problem) -> Problem:
        """A problem of the whole declaration as one of the file that its entry came from."""
        return replace(problem, file=self.origins.get(problem.path[:2], problem.file))


def gather(values: Mapping[str, Any], *, folder: Path) -> Gathered:
    """The declaration `values` with the entries of the files under `include`, which stand in `folder`."""
    gathered = Gathered(values={key: dict(v) if key in SECTIONS and is_map(v) else v for key, v in values.items()})
    names = values.get("include")
    named = [name for name in names if isinstance(name, str)] if is_list(names) else []
    for name in dict.fromkeys(named):
        if is_included_name(name):
            _include(gathered, name, folder)
    return gathered


def _include(gathered: Gathered, name: str, folder: Path) -> None:
    file = f"{folder.name}/{name}"
    try:
        content, problems = read_yaml(folder / name, file=file, if_missing=f"a file in {folder.name}/, or no `include`")
    except SettingsError as error:
        gathered.problems += error.problems
        return
    gathered.problems += problems
    if not is_map(content):
        problem = Problem(
            file=file, path=(), wrong="is not a map", instead="`destinations:` or `backends:`, and entries"
        )
        gathered.problems.append(problem)
        return
    for section, entries in content.items():
        if section not in SECTIONS:
            wrong, instead = f"unknown key `{section}`", did_you_mean(section, SECTIONS)
            gathered.problems.append(Problem(file=file, path=(section,), wrong=wrong, instead=instead))
        elif not is_map(entries) or not entries:
            wrong, instead = "holds no entries", "entries by name; empty never means `anything`"
            gathered.problems.append(Problem(file=file, path=(section,), wrong=wrong, instead=instead))
        else:
            _add(gathered, section, entries, file)


def _add(gathered: Gathered, section: str, entries: Mapping[str, Any], file: str) -> None:
    known = gathered.values.setdefault(section, {})
    if not is_map(known):
        return  # the stack file's own section is of the wrong type, and is reported as such
    for name, entry in entries.items():
        if name in known:
            first = gathered.origins.get((section, name), "the stack file")
            problem = Problem(
                file=file, path=(section, name), wrong=f"is in {first} too", instead="a name that no other entry has"
            )
            gathered.problems.append(problem)
        else:
            gathered.values[section][name] = entry
            gathered.origins[section, name] = file
