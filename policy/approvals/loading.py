"""Reads one stack's approvals, with the same report on what is wrong as the settings have."""

import datetime as dt
from pathlib import Path

import yaml
import yaml12
from pydantic import ValidationError

from components.settings.problems import Problem, SettingsError, problems_of
from policy.approvals.model import Approvals
from policy.approvals.one_meaning import ambiguities


def approvals_file(stack: str) -> Path:
    """Where the approvals of `stack` stand."""
    return Path(__file__).parent / f"{stack}.yaml"


def load_approvals(path: Path, today: dt.date) -> Approvals:
    """Read and validate an approvals file.

    Expired approvals are a problem here, as in settings: whoever relies on one must have it renewed.

    Raises:
        SettingsError: the file is missing, is not YAML, or holds something wrong; every problem at once.
    """
    file = f"policy/approvals/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
        values, twice = yaml12.parse_yaml(text), ambiguities(text)
    except FileNotFoundError as error:
        raise _whole(
            file,
            "there is no such file",
            "ask the security team for one; policy/approvals/dev.yaml shows how",
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        raise _whole(file, f"is not YAML: {' '.join(str(error).split())}", "valid YAML") from error
    problems = [Problem(file=file, path=where, wrong=wrong, instead=instead) for where, wrong, instead in twice]
    approvals = None
    try:
        approvals = Approvals.model_validate(values, context={"today": today})
    except ValidationError as error:
        problems += problems_of(error, model=Approvals, file=file)
    if problems or approvals is None:
        raise SettingsError(problems)
    return approvals


def _whole(file: str, wrong: str, instead: str) -> SettingsError:
    return SettingsError([Problem(file=file, path=(), wrong=wrong, instead=instead)])
