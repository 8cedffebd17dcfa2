"""One report for everything that is wrong with a settings or approvals file.

A problem has a path as the operator reads it (`destinations.edition-cnn.ports.https.port`), what is wrong, and
what to write instead. Values under `secrets` are never shown.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, str, str]]
"""What a check finds: where, what is wrong, what to write instead."""

OURS: Final = "egress"
"""The pydantic error type of our own validators: their context holds `wrong` and `instead`."""
_SHOWN: Final = 60
"""Characters of a bad value that a report shows."""


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong, where it stands in the file, and what to write instead."""

    file: str
    path: Path
    wrong: str
    instead: str

    @property
    def dotted_path(self) -> str:
        """The path in the file: keys joined by dots, list items as `[0]`."""
        return dotted(self.path)


class SettingsError(Exception):
    """The declaration cannot be used. `problems` holds everything that is wrong with it, sorted by file and path."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.file, p.dotted_path, p.wrong)))
        super().__init__(report(self.problems))


def dotted(path: Path) -> str:
    """`("hosts", 0, "name")` as `hosts[0].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "(the whole file)"


def report(problems: Sequence[Problem]) -> str:
    """All problems as text for a terminal: a heading per file, two lines per problem."""
    lines: list[str] = []
    for file in dict.fromkeys(problem.file for problem in problems):
        own = [problem for problem in problems if problem.file == file]
        lines.append(f"{file}: {len(own)} problem{'' if len(own) == 1 else 's'}")
        for problem in own:
            lines += [f"  {problem.dotted_path}: {problem.wrong}", f"    instead: {problem.instead}"]
    return "\n".join(lines)


def wrong(what: str, instead: str) -> PydanticCustomError:
    """The error that our validators raise: what is wrong with the value, and what to write instead."""
    return PydanticCustomError(OURS, "{wrong}", {"wrong": what, "instead": instead})


def shown(value: object) -> str:
    """A bad value as the report shows it: JSON, shortened."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What to write instead of an unknown `word`: the nearest known one, or all of them."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"one of: {', '.join(choices)}" if choices else "remove it: nothing is known here"


def problems_of(error: ValidationError, *, model: type[BaseModel], file: str) -> list[Problem]:
    """Pydantic's errors as problems, each with its path in `file` and what to write instead."""
    found: list[Problem] = []
    for details in error.errors(include_url=False):
        path, parent = _path(model, details["loc"])
        if details["type"] == "union_tag_invalid" and details.get("ctx", {})["discriminator"] == "'mode'":
            path = (*path, "mode")
        what, instead = _explain(details, parent)
        found.append(Problem(file=file, path=path, wrong=what, instead=instead))
    # A list whose items are all bad counts as empty; the items' own problems say it better.
    holders = {problem.path[:length] for problem in found for length in range(len(problem.path))}
    return [problem for problem in found if not (problem.wrong == _EMPTY and problem.path in holders)]


def _path(model: type[BaseModel], location: Path) -> tuple[Path, Any]:
    """The location without pydantic's own parts (union tags, `[key]`), and the type that holds its last part."""
    path: list[str | int] = []
    here: Any = model
    parent: Any = None
    for part in location:
        if part == "[key]":
            continue
        here = _without_none(here)
        members = get_args(here) if get_origin(here) in {Union, UnionType} else ()
        tagged = [member for member in members if isinstance(part, str) and part in _tags(member)]
        if tagged:
            here = tagged[0]
            continue
        parent = here
        path.append(part)
        here = _child(here, part)
    return tuple(path), parent


def _without_none(annotation: Any) -> Any:
    """`X` for `Annotated[X, ...]` and for `X | None`."""
    while get_origin(annotation) is not None and hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in {Union, UnionType}:
        rest = [a for a in get_args(annotation) if a is not type(None)]
        if len(rest) == 1:
            return _without_none(rest[0])
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _tags(annotation: Any) -> tuple[str, ...]:
    """What pydantic calls a member of a tagged union: its `Tag`, or the values of its `mode`."""
    if tags := tuple(each.tag for each in getattr(annotation, "__metadata__", ()) if isinstance(each, Tag)):
        return tags
    if not _is_model(annotation) or "mode" not in annotation.model_fields:
        return ()
    return get_args(annotation.model_fields["mode"].annotation)


def _fields(annotation: Any) -> dict[str, FieldInfo]:
    """A model's fields by their key in the file."""
    if not _is_model(annotation):
        return {}
    return {field.alias or name: field for name, field in annotation.model_fields.items()}


def _child(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        field = _fields(annotation).get(str(part))
        return None if field is None else field.annotation
    arguments = get_args(annotation)
    if not arguments:
        return None
    return arguments[1] if get_origin(annotation) is dict else arguments[0]


_MAP: Final = "a map: `name: value` lines, indented"
_LIST: Final = "a list: [a, b], or lines that begin with `- `"
_WANTED: Final = {
    "string_type": "text, in quotes if it looks like something else",
    "int_type": "a whole number, without quotes",
    "bool_type": "true or false",
    "dict_type": _MAP,
    "model_type": _MAP,
    "model_attributes_type": _MAP,
    "tuple_type": _LIST,
    "frozen_set_type": _MAP,
}
_EMPTY: Final = "is empty"


def _explain(details: ErrorDetails, parent: Any) -> tuple[str, str]:
    """What is wrong, and what to write instead."""
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    key = str(details["loc"][-1]) if details["loc"] else ""
    explained = {
        OURS: lambda: (str(context["wrong"]), str(context["instead"])),
        "extra_forbidden": lambda: (f"unknown key `{key}`", did_you_mean(key, _fields(parent))),
        "missing": lambda: ("is missing", _add(key, parent)),
        "too_short": lambda: (_EMPTY, "at least one entry; empty never means `anything`"),
        "string_too_short": lambda: (_EMPTY, "some text"),
        "literal_error": lambda: _not_known(value, str(context["expected"])),
        "union_tag_invalid": lambda: _not_known(context["tag"], str(context["expected_tags"])),
        "union_tag_not_found": lambda: ("has no `mode`", "add `mode:`; see docs/reference/settings.md"),
        "string_pattern_mismatch": lambda: (
            f"{shown(value)} is not of the form that is needed",
            f"text that matches {context['pattern']}",
        ),
        "greater_than_equal": lambda: (f"{shown(value)} is too small", f"{context['ge']} or more"),
        "less_than_equal": lambda: (f"{shown(value)} is too large", f"{context['le']} or fewer"),
    }.get(kind)
    if explained is not None:
        return explained()
    if kind in _WANTED:
        said = "nothing is written here" if value is None else f"{shown(value)} is of the wrong type"
        return said, _WANTED[kind]
    return (
        f"{shown(value)}: {details['msg'][:1].lower()}{details['msg'][1:]}",
        "see docs/reference/settings.md",
    )


def _add(key: str, parent: Any) -> str:
    field = _fields(parent).get(key)
    purpose = "" if field is None or field.description is None else f": {field.description}"
    return f"add `{key}:`{purpose}"


def _not_known(given: object, expected: str) -> tuple[str, str]:
    choices = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
    return f"{shown(given)} is not known here", did_you_mean(str(given), choices)
