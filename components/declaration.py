"""Reads the stack's declaration from Pulumi config, and refuses a bad one with one report."""

import datetime as dt
import difflib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from components.plan import Plan, make_plan
from components.plan.preflight import check
from components.settings import Problem, Settings, SettingsError, load_settings
from components.settings.clock import TODAY_VARIABLE, today
from components.settings.included import gather
from policy.approvals import Approvals, approvals_file, load_approvals

NAMESPACE: Final = "cluster-egress"
"""The config namespace: the project's name, whatever a project that imports this package is called."""

_STACKS: Final = Path("stacks")
"""The folder of the stack files: the engine and the offline preview both run the program in the project's folder."""

_KEYS: Final = frozenset(Settings.model_fields)


class BadDeclaration(pulumi.RunError):
    """Ends the program with the report on a bad declaration, and without a traceback."""

    def __init__(self, problems: tuple[Problem, ...], text: str) -> None:
        super().__init__(text)
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What the operator declared and the security team approved, the plan that follows, and the secrets."""

    settings: Settings
    approvals: Approvals
    plan: Plan
    secrets: Mapping[str, pulumi.Output[str]]


def read_declaration() -> Declaration:
    """Read, validate and plan the current stack.

    Raises:
        BadDeclaration: with every problem of the stack file and of its approvals at once.
    """
    stack, date = pulumi.get_stack(), _today()
    file, approved = f"stacks/Pulumi.{stack}.yaml", approvals_file(stack)
    values = {key.removeprefix(f"{NAMESPACE}:"): _plain(text) for key, text in CONFIG.get().items() if _is_ours(key)}
    encrypted = [key for key in values if key != "secrets" and is_config_secret(f"{NAMESPACE}:{key}")]
    gathered = gather({key: value for key, value in values.items() if key not in encrypted}, folder=_STACKS)
    problems = [*(_encrypted(key, file) for key in encrypted), *_misplaced(file)]
    settings = approvals = None
    try:
        settings = load_settings(gathered.values, file=file, today=date)
    except SettingsError as error:
        problems += [problem for problem in error.problems if problem.path not in {(key,) for key in encrypted}]
    try:
        approvals = load_approvals(approved, date)
    except SettingsError as error:
        problems += error.problems
    if settings is not None and approvals is not None:
        problems += check(settings, approvals, file=file, approvals_file=f"policy/approvals/{approved.name}")
    problems = [*gathered.problems, *map(gathered.at_origin, problems)]
    if problems or settings is None or approvals is None:
        error = SettingsError(problems)
        raise BadDeclaration(error.problems, str(error))
    return Declaration(
        settings=settings,
        approvals=approvals,
        plan=make_plan(settings, approvals, stack=stack),
        secrets=_secrets(settings.secrets),
    )


def _today() -> dt.date:
    fixed = os.environ.get(TODAY_VARIABLE)
    if fixed is not None:
        pulumi.log.warn(f"{TODAY_VARIABLE} is set: dates are judged as of {fixed}, not as of today")
    try:
        return today()
    except ValueError as error:
        raise pulumi.RunError(
            f'{TODAY_VARIABLE}: {fixed!r} is not a date; instead: "2027-06-30", or unset it'
        ) from error


def _misplaced(file: str) -> Iterator[Problem]:
    """Keys that look like ours and would be passed over, and secrets that are none."""
    for key in CONFIG.get():
        namespace, _, name = key.partition(":")
        if (
            namespace not in {NAMESPACE, pulumi.get_project()}
            and name in _KEYS
            and difflib.get_close_matches(namespace, [NAMESPACE], cutoff=0.8)
        ):
            yield Problem(file=file, path=(key,), wrong="is not read", instead=f"did you mean `{NAMESPACE}:{name}`?")
    if f"{NAMESPACE}:secrets" in CONFIG.get() and not is_config_secret(f"{NAMESPACE}:secrets"):
        yield Problem(
            file=file,
            path=("secrets",),
            wrong="stands in the clear",
            instead="`pulumi config set --secret --path 'cluster-egress:secrets.NAME'`",
        )


def _encrypted(key: str, file: str) -> Problem:
    """Secrecy reaches the program per top-level key; elsewhere than under `secrets` the plan would show the value."""
    return Problem(
        file=file,
        path=(key,),
        wrong="holds an encrypted value, which would be shown in the clear",
        instead="the value under `secrets`, and its name here",
    )


def _is_ours(key: str) -> bool:
    return key.startswith(f"{NAMESPACE}:")


def _plain(text: Any) -> Any:
    """The engine hands objects over as JSON, and anything else as it stands in the file."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _secrets(names: frozenset[str]) -> dict[str, pulumi.Output[str]]:
    if not names:
        return {}
    values: pulumi.Output[Any] = pulumi.Config(NAMESPACE).require_secret_object("secrets")
    return {name: values.apply(lambda all_values, name=name: str(all_values[name])) for name in sorted(names)}
