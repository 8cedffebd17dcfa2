"""Stacks that create something on Alibaba Cloud, as they are registered."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import yaml12

from cli.offline.preview import preview
from cli.offline.records import Registration
from tests.golden.render import project_of

CLOUDS: Final = ("prod", "flannel", "pods", "host-network")
"""The stacks that create their nodes, in every way that egress can have fixed addresses."""


@dataclass(frozen=True)
class Registered:
    """Everything that one stack registers."""

    all: tuple[Registration, ...]

    def of(self, kind: str) -> list[Registration]:
        """The resources of a type, known by its last part."""
        return [each for each in self.all if each.type.rpartition(":")[2] == kind]

    def one(self, kind: str, name: str) -> Registration:
        """The resource of this type and name."""
        return next(each for each in self.of(kind) if each.name == name)

    def before(self, registration: Registration) -> set[str]:
        """The URNs of everything that a resource comes after."""
        by_urn = {each.urn: each for each in self.all}
        found: set[str] = set()
        waiting = [*registration.dependencies]
        while waiting:
            urn = waiting.pop()
            if urn not in found:
                found.add(urn)
                waiting += by_urn[urn].dependencies
        return found

    def is_after(self, later: Registration, earlier: Registration) -> bool:
        """Whether one waits for the other, which a destroy takes away after it."""
        return earlier.urn in self.before(later)


@cache
def stack(name: str) -> Registered:
    """One of the repository's stacks, or of those that are there for their goldens."""
    with project_of(name) as project:
        return Registered(preview(project, name, with_policy=False).registrations)


def changed_prod(project: Path, change: Callable[[dict[str, Any]], object]) -> Registered:
    """The stack `prod` of a copy of the project, after a change of its config."""
    file = project / "stacks" / "Pulumi.prod.yaml"
    whole = cast("dict[str, Any]", yaml12.parse_yaml(file.read_text(encoding="utf-8")))
    change(whole["config"])
    file.write_text(json.dumps(whole), encoding="utf-8")  # JSON is YAML too
    return Registered(preview(project, "prod", with_policy=False).registrations)
