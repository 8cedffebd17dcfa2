"""A stack's whole registered set as text: one YAML document a resource, in the order of registration."""

import json
from pathlib import Path
from typing import Any, Final

import yaml12

from cli.offline.preview import preview
from cli.offline.records import Registration
from tests.projects import ROOT

STACKS: Final = sorted(path.name.split(".")[1] for path in (ROOT / "stacks").glob("Pulumi.*.yaml"))


def golden_file(stack: str) -> Path:
    """Where the golden of `stack` is."""
    return Path(__file__).parent / f"{stack}.yaml"


def golden_text(stack: str) -> str:
    """The golden of `stack` as it should be now."""
    registrations = preview(ROOT, stack, with_policy=False).registrations
    return "\n---\n".join(yaml12.format_yaml(_plain(each), width=None) for each in registrations) + "\n"


def _plain(registration: Registration) -> dict[str, Any]:
    return json.loads(
        json.dumps(
            {
                "urn": registration.urn,
                "parent": registration.parent,
                "provider": registration.provider,
                "protect": registration.protect,
                "dependsOn": sorted(registration.dependencies),
                "inputs": dict(registration.inputs),
            }
        )
    )
