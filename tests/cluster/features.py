"""The stack `dev` with more to ask for: destinations that use everything a port, a host or a client can have.

The cluster tests apply it in each flavour, so that a destination means the same in all of them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from cli.plain_data import is_map
from tests.cluster.bed.stack import Stack

_FOLDER: Final = Path(__file__).with_name("features")


def declare(stack: Stack, flavour: str) -> None:
    """Have a stack file and its approvals hold what the folder `features` says besides, in one of the flavours."""
    merge_file(stack.file, _FOLDER / "stack.yaml")
    if (own := _FOLDER / f"{flavour}.yaml").exists():
        merge_file(stack.file, own)
    merge_file(stack.approvals, _FOLDER / "approvals.yaml")
    values = yaml.safe_load(stack.file.read_text(encoding="utf-8"))
    values["config"]["cluster-egress:egress"]["mesh"]["flavour"] = flavour
    stack.file.write_text(yaml.safe_dump(values), encoding="utf-8")


def merge_file(file: Path, more: Path) -> None:
    """Have a YAML file hold what another says besides."""
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    _merge(values, yaml.safe_load(more.read_text(encoding="utf-8")))
    file.write_text(yaml.safe_dump(values), encoding="utf-8")


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if is_map(value) and is_map(into.get(key)):
            _merge(into[key], value)
        else:
            into[key] = value
