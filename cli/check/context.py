"""In what context one invocation judges: nothing is approved, or what a file says, or as a stack's own pack judges."""

import datetime as dt
import json
from pathlib import Path

from cli.check.sources import shown_path
from cli.errors import SettingsFileError
from components.settings.clock import today
from components.settings.problems import SettingsError
from policy.approvals import approvals_file
from policy.rule import Context
from policy.stack import approvals_of, context_of_environment, grants_of
from policy.stack_settings import PROJECT


def context_of(approvals: Path | None) -> Context:
    """The context in which manifests are judged: posture `enforce`, no settings, the approvals of a file.

    Raises:
        SettingsFileError: the file cannot be read, or holds something wrong; every problem at once.
    """
    date = _date()
    if approvals is None:
        return Context(today=date)
    file = shown_path(approvals)
    try:
        granted = approvals_of(approvals, date, shown=file)
    except SettingsError as error:
        raise SettingsFileError(f"{error}") from error
    except OSError as error:
        raise SettingsFileError(f"{file}: cannot be read: {error.strerror}") from error
    return Context(today=date, grants=grants_of(granted), raised=frozenset(granted.raised_rules or ()))


def context_of_stack(stack: str) -> tuple[Context, Path | None]:
    """The context of a stack of the project in this folder, or in the nearest above, and the file of its approvals.

    What is wrong with its settings or approvals, the pack says, as it does in a preview; then there is no file.

    Raises:
        SettingsFileError: there is no project or no such stack, or its file cannot be read.
    """
    from cli.offline.project import find_project
    from cli.offline.stack_file import read_stack_file

    _date()
    project = find_project(Path.cwd())
    config = read_stack_file(project, stack).config
    # Of the project that the settings are of, which need not be where this program is installed.
    approvals = project.policy_directory / "approvals" / approvals_file(stack).name
    environment = {"PULUMI_PROJECT": PROJECT, "PULUMI_STACK": stack, "PULUMI_CONFIG": json.dumps(dict(config))}
    context = context_of_environment(environment, approvals=approvals)
    return context, None if context.problems else approvals


def _date() -> dt.date:
    try:
        return today()
    except ValueError as error:
        raise SettingsFileError(f"EGRESS_TODAY: {error}") from error
