"""What is approved for the manifests of one invocation: nothing, or what a file of approvals says."""

from pathlib import Path

from cli.check.sources import shown_path
from cli.errors import SettingsFileError
from components.settings.clock import today
from components.settings.problems import SettingsError
from policy.rule import Context
from policy.stack import approvals_of, grants_of


def context_of(approvals: Path | None) -> Context:
    """The context in which manifests are judged: posture `enforce`, no settings, the approvals of a file.

    Raises:
        SettingsFileError: the file cannot be read, or holds something wrong; every problem at once.
    """
    try:
        date = today()
    except ValueError as error:
        raise SettingsFileError(f"EGRESS_TODAY: {error}") from error
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
