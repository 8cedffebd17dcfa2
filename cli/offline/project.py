"""Finds a Pulumi project and its stack files, as the engine does."""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.errors import SettingsFileError
from cli.offline.go_yaml import Refusal, YamlRefusedError, read
from cli.plain_data import is_map

PROJECT_FILE: Final = "Pulumi.yaml"
_STACK_FILE: Final = re.compile(r"Pulumi\.(?P<stack>[A-Za-z0-9._-]+)\.yaml")


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project: its name, its folder (absolute), where its stack files are, and defaults for settings."""

    name: str
    directory: Path
    stacks_directory: Path
    defaults: dict[str, Any]
    policy_directory: Path
    """Where the policy pack is: `policy/` in the project, unless somebody names another one."""

    def stacks(self) -> tuple[str, ...]:
        """The names of all stacks that have a file, sorted."""
        found = (_STACK_FILE.fullmatch(path.name) for path in self.stacks_directory.glob("Pulumi.*.yaml"))
        return tuple(sorted(match["stack"] for match in found if match is not None))

    def stack_file(self, stack: str) -> Path:
        """The file of `stack`.

        Raises:
            SettingsFileError: there is none; the text names those that there are.
        """
        known = self.stacks()
        if stack in known:
            return self.stacks_directory / f"Pulumi.{stack}.yaml"
        folder = self.shown(self.stacks_directory)
        if not known:
            raise SettingsFileError(f"no stack `{stack}`: {folder} holds no Pulumi.<stack>.yaml")
        near = difflib.get_close_matches(stack, known, n=1)
        hint = f"did you mean `{near[0]}`? " if near else ""
        raise SettingsFileError(f"no stack `{stack}` in {folder}: {hint}there is: {', '.join(known)}")

    def shown(self, path: Path) -> str:
        """A path as messages show it: relative to the project where it lies in it."""
        return str(path.relative_to(self.directory)) if path.is_relative_to(self.directory) else str(path)


def find_project(start: Path) -> Project:
    """The project in `start` or in the nearest folder above it, as `pulumi` searches.

    Raises:
        SettingsFileError: there is none, or its file cannot be used.
    """
    start = start.resolve()
    for directory in (start, *start.parents):
        if (directory / PROJECT_FILE).is_file():
            return load_project(directory)
    raise SettingsFileError(f"no {PROJECT_FILE} in {start} or above it: name the project's folder with --project")


def load_project(directory: Path) -> Project:
    """Read `Pulumi.yaml` of a folder.

    Raises:
        SettingsFileError: it is missing or cannot be used.
    """
    directory = directory.resolve()
    if not (directory / PROJECT_FILE).is_file():
        raise SettingsFileError(f"no {PROJECT_FILE} in {directory}")
    values = read_file(directory / PROJECT_FILE, shown=PROJECT_FILE, secret="[secret]")  # noqa: S106 no secret
    values = values if is_map(values) else {}
    name = values.get("name")
    if not isinstance(name, str) or not name:
        raise SettingsFileError(f"{PROJECT_FILE}: `name` is missing or is not text")
    folder = values.get("stackConfigDir", "")
    if not isinstance(folder, str):
        raise SettingsFileError(f"{PROJECT_FILE}: `stackConfigDir` is not text")
    return Project(
        name=name,
        directory=directory,
        stacks_directory=directory / folder,
        defaults=_defaults(name, values.get("config") or {}),
        policy_directory=directory / "policy",
    )


def read_file(path: Path, *, shown: str, secret: str) -> Any:
    """The values of a YAML file as the engine reads them.

    Args:
        path: the file.
        shown: how messages name it.
        secret: what stands for each `secure:` value.

    Raises:
        SettingsFileError: it cannot be read; every refused place with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsFileError(f"{shown}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsFileError(f"{shown}: is not text in UTF-8") from error
    try:
        return read(text, secret=secret)
    except YamlRefusedError as error:
        raise refused(shown, error.refusals, error.value) from error


def refused(shown: str, refusals: tuple[Refusal, ...], values: object) -> SettingsFileError:
    """The report on refused places, in the form of the settings report."""
    count = len(refusals)
    lines = [f"{shown}: {count} problem{'' if count == 1 else 's'}"]
    for refusal in refusals:
        path = _dotted(refusal.path)
        lines += [f"  {shown}:{refusal.line}: {path}{refusal.wrong}", f"    instead: {refusal.instead}"]
    return SettingsFileError("\n".join(lines), values)


def _dotted(path: tuple[str | int, ...]) -> str:
    """The path below `config:` and without the namespace, as the settings report writes it."""
    parts = list(path)
    if len(parts) > 1 and parts[0] == "config":
        parts = [str(parts[1]).rpartition(":")[2], *parts[2:]]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")
    return f"{text}: " if text else ""


def _defaults(project: str, config: Any) -> dict[str, Any]:
    """Values that `Pulumi.yaml` gives to settings a stack file leaves out (sdk workspace, config.go)."""
    if not is_map(config):
        raise SettingsFileError(f"{PROJECT_FILE}: `config` is not a map")
    defaults: dict[str, Any] = {}
    for key, declared in config.items():
        full = key if ":" in key else f"{project}:{key}"
        value = declared.get("default", declared.get("value")) if is_map(declared) else declared
        if value is not None:
            defaults[full] = value
    return defaults
