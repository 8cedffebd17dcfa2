"""Reads one stack's approvals, with the same report on what is wrong as the settings have."""

import datetime as dt
from pathlib import Path

from pydantic import ValidationError

from components.settings.problems import SettingsError, problems_of
from components.settings.yaml_file import read_yaml
from policy.approvals.model import Approvals


def approvals_file(stack: str) -> Path:
    """Where the approvals of `stack` stand."""
    return Path(__file__).parent / f"{stack}.yaml"


def load_approvals(path: Path, today: dt.date, *, shown: str | None = None) -> Approvals:
    """Read and validate an approvals file.

    Expired approvals are a problem here, as in settings: whoever relies on one must have it renewed.

    Args:
        path: the file.
        today: the date that nothing in it may have expired before.
        shown: how the report names it; as one of this project's by default.

    Raises:
        SettingsError: the file is missing, is not YAML, or holds something wrong; every problem at once.
    """
    file = f"policy/approvals/{path.name}" if shown is None else shown
    values, problems = read_yaml(
        path, file=file, if_missing="ask the security team for one; policy/approvals/dev.yaml shows how"
    )
    approvals = None
    try:
        approvals = Approvals.model_validate(values, context={"today": today})
    except ValidationError as error:
        problems += problems_of(error, model=Approvals, file=file)
    if problems or approvals is None:
        raise SettingsError(problems)
    return approvals
