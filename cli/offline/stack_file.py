"""Reads a stack file into what the engine hands to a program: configuration keys with text, and which are secret.

Follows LoadProjectStackBytes (pulumi sdk, workspace/loaders.go) and config.Map (resource/config): a key without a
namespace gets the project's; objects and lists become JSON text, scalars their own text; a `secure:` value anywhere
below a key makes the whole key secret.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from cli.errors import SettingsFileError
from cli.offline.project import Project, read_file
from cli.plain_data import is_list, is_map

SECRET: Final = "[secret]"  # noqa: S105 what is shown in a secret's place
_KEYS: Final = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")


class _Secret(str):
    """Stands for one `secure:` value, and is told apart from text that merely reads the same."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """The configuration of one stack, as the engine gives it to a program.

    `config` maps `namespace:name` to text (JSON for objects and lists); `secret_keys` are those of its keys that hold
    a secret, whose secret parts read `[secret]`.
    """

    stack: str
    path: Path
    config: Mapping[str, str]
    secret_keys: frozenset[str]
    refused: SettingsFileError | None = None
    """What the engine would read differently; the rest is read, so that one run can say what else is wrong."""


def read_stack_file(project: Project, stack: str) -> StackConfig:
    """Read the configuration of `stack`.

    Raises:
        SettingsFileError: there is no such stack, or its file cannot be used.
    """
    config = survey_stack_file(project, stack)
    if config.refused is not None:
        raise config.refused
    return config


def survey_stack_file(project: Project, stack: str) -> StackConfig:
    """Read what can be read of the configuration of `stack`, also where some of it is refused.

    Raises:
        SettingsFileError: there is no such stack, or nothing of its file can be read.
    """
    path = project.stack_file(stack)
    shown = project.shown(path)
    refused = None
    try:
        values = read_file(path, shown=shown, secret=_Secret(SECRET))
    except SettingsFileError as error:
        if error.values is None:
            raise
        refused, values = error, error.values
    if values is None:
        values = {}
    if not is_map(values):
        raise SettingsFileError(f"{shown}: is not a map: begin with `config:`")
    _check_top(shown, values)
    given = _namespaced(shown, project.name, values.get("config"))
    merged = {**project.defaults, **given}
    return StackConfig(
        stack=stack,
        path=path,
        config={key: _text(merged[key]) for key in sorted(merged)},
        secret_keys=frozenset(key for key, value in merged.items() if _holds_secret(value)),
        refused=refused,
    )


def _check_top(shown: str, values: Mapping[str, Any]) -> None:
    for key in values:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"one of: {', '.join(_KEYS)}"
            raise SettingsFileError(f"{shown}: unknown key `{key}`, which the engine ignores: {hint}")
    if values.get("environment") is not None:
        raise SettingsFileError(
            f"{shown}: `environment` takes settings from Pulumi ESC, which cannot be reached offline: "
            "write them here, or preview with `pulumi preview`"
        )


def _namespaced(shown: str, project: str, config: Any) -> dict[str, Any]:
    if config is None:
        return {}
    if not is_map(config):
        raise SettingsFileError(f"{shown}: `config` is not a map")
    keys: dict[str, Any] = {}
    for written, value in config.items():
        key = _key(shown, project, written)
        if key in keys:
            raise SettingsFileError(f"{shown}: `{key}` is written twice, in two forms: keep one")
        keys[key] = value
    return keys


def _key(shown: str, project: str, written: str) -> str:
    """`name`, `namespace:name` and the old `namespace:config:name` as `namespace:name` (resource/config/key.go)."""
    parts = written.split(":")
    if len(parts) == 1:
        return f"{project}:{written}"
    if len(parts) == 2:  # noqa: PLR2004 namespace and name
        return written
    if len(parts) == 3 and parts[1] == "config":  # noqa: PLR2004 namespace, `config` and name
        return f"{parts[0]}:{parts[2]}"
    raise SettingsFileError(f"{shown}: `{written}` is no configuration key: write `{project}:<name>`")


def _holds_secret(value: Any) -> bool:
    if is_map(value):
        return any(_holds_secret(item) for item in value.values())
    if is_list(value):
        return any(_holds_secret(item) for item in value)
    return isinstance(value, _Secret)


def _text(value: Any) -> str:
    """A value as the engine's text; JSON as Go's encoding/json writes it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return _go_float(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character, escaped in (("<", r"\u003c"), (">", r"\u003e"), ("&", r"\u0026")):
        text = text.replace(character, escaped)
    return text.replace("\u2028", r"\u2028").replace("\u2029", r"\u2029")


def _go_float(value: float) -> str:
    """A number with a fraction (or from 1e21 on) as Go's encoding/json writes it (floatEncoder)."""
    if 1e-6 <= abs(value) < 1e21:  # noqa: PLR2004 encoding/json, floatEncoder
        return format(Decimal(repr(value)), "f")
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
