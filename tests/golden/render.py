"""A stack's whole registered set as text: one YAML document a resource, sorted by URN.

Resources that wait for nothing of each other register in any order, so that order is none to compare.
"""

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml12

from cli.offline.preview import preview
from cli.offline.records import Registration
from tests.projects import ROOT, copy_project

_OWN: Final = Path(__file__).parent / "stacks"
"""Stacks that are there for their goldens only, and their approvals."""


def _stacks(folder: Path) -> list[str]:
    return sorted(path.name.split(".")[1] for path in folder.glob("Pulumi.*.yaml"))


STACKS: Final = _stacks(ROOT / "stacks")
"""The stacks of the repository."""
GOLDEN_STACKS: Final = [*STACKS, *_stacks(_OWN)]
"""Those, and the ones that are there for their goldens only."""


@contextmanager
def project_of(stack: str) -> Generator[Path]:
    """The project that has the stack: the repository itself, or a copy with one stack more."""
    if stack in STACKS:
        yield ROOT
        return
    with TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        shutil.copy(_OWN / f"Pulumi.{stack}.yaml", project / "stacks")
        shutil.copy(_OWN / "approvals" / f"{stack}.yaml", project / "policy" / "approvals")
        yield project


def golden_file(stack: str) -> Path:
    """Where the golden of `stack` is."""
    return Path(__file__).parent / f"{stack}.yaml"


def golden_text(stack: str) -> str:
    """The golden of `stack` as it should be now."""
    with project_of(stack) as project:
        registrations = preview(project, stack, with_policy=False).registrations
    ordered = sorted(registrations, key=lambda each: (not each.is_stack, each.urn))
    return "\n---\n".join(yaml12.format_yaml(_plain(each), width=None) for each in ordered) + "\n"


def _plain(registration: Registration) -> dict[str, Any]:
    options = {
        "deleteBeforeReplace": registration.delete_before_replace,
        "replaceOnChanges": registration.replace_on_changes,
        "ignoreChanges": registration.ignore_changes,
        "customTimeouts": dict(registration.custom_timeouts),
    }
    return json.loads(
        json.dumps(
            {
                "urn": registration.urn,
                "parent": registration.parent,
                "provider": registration.provider,
                "protect": registration.protect,
                **{key: value for key, value in options.items() if value},
                "dependsOn": sorted(registration.dependencies),
                "inputs": dict(registration.inputs),
            }
        )
    )
