"""From the plain values of a stack file to `Settings`, or to a report of everything that is wrong with it."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from components.settings.checks import check
from components.settings.models import Settings
from components.settings.parts import salvaged, whole
from components.settings.plain import blanks, is_map
from components.settings.problems import Path, Problem, SettingsError, problems_of
from components.settings.types import EntryName


def load_settings(values: Mapping[str, Any], *, file: str, today: dt.date) -> Settings:
    """Validate a whole declaration.

    Args:
        values: the keys of the `cluster-egress` namespace (`cluster`, `egress`, ...) and their plain values. Under
            `secrets` only names matter; values are dropped here.
        file: how the report names the stack file.
        today: the date against which `expires` is judged.

    Raises:
        SettingsError: with every problem found, not only the first.
    """
    plain = {key: value for key, value in values.items() if key != "secrets"}
    found = list(_secrets(values["secrets"])) if "secrets" in values else []
    problems = [Problem(file=file, path=path, wrong=wrong, instead=instead) for path, wrong, instead in found]
    if is_map(values.get("secrets")):
        plain["secrets"] = frozenset(map(str, values["secrets"]))
    settings = None
    try:
        settings = Settings.model_validate(plain, context={"today": today})
    except ValidationError as error:
        problems += problems_of(error, model=Settings, file=file)
    problems += blanks(plain, known=problems, file=file)
    problems += check(whole(settings, plain) if settings is not None else salvaged(plain, today), file=file)
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def _secrets(secrets: Any) -> Iterator[tuple[Path, str, str]]:
    """What is wrong under `secrets`, without a word of what stands there."""
    if not is_map(secrets) or not secrets:
        yield ("secrets",), "is not a map of secrets by name", "`name: {secure: ...}` lines, or leave the key out"
        return
    for name, value in secrets.items():
        try:
            TypeAdapter[str](EntryName).validate_python(name)
        except ValidationError:
            yield ("secrets", str(name)), "is not an entry's name", "1 to 40 of a-z, 0-9 and `-`"
        if not isinstance(value, str) or not value:
            yield ("secrets", str(name)), "holds no text", f"`pulumi config set --secret --path secrets.{name}`"
