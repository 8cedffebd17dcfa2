"""The real engine and the real plugin for Alibaba Cloud, on one stack and the stand-in's cloud."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.engine.alibaba.cloud import AlibabaCloud

_SECONDS = 600
"""For one command of the engine."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A command of the engine that has ended."""

    code: int
    said: str

    def ok(self) -> "Done":
        """It did what it was asked."""
        assert self.code == 0, self.said
        return self

    def failed(self) -> "Done":
        """It did not, and says so."""
        assert self.code != 0, self.said
        return self


@dataclass(frozen=True, kw_only=True)
class OnCloud:
    """A project, one of its stacks, and the cloud on which it is.

    Attributes:
        left_out: URNs of what the commands pass over; there is no cluster here.
    """

    cloud: AlibabaCloud
    project: Path
    environment: Mapping[str, str]
    stack: str
    settings: Path
    left_out: tuple[str, ...] = ()

    def run(self, *arguments: str) -> Done:
        """Run `pulumi`. Whatever it started ends with it: a plugin alone would ask for hours."""
        process = subprocess.Popen(
            ["pulumi", *arguments, "--stack", self.stack, "--non-interactive"],
            cwd=self.project,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return Done(code=process.returncode, said=said)

    def up(self, *arguments: str) -> Done:
        """Create and change what is declared."""
        return self._do("up", "--yes", "--skip-preview", *arguments)

    def refresh(self) -> Done:
        """Take over what is not as it was left."""
        return self._do("refresh", "--yes", "--skip-preview")

    def destroy(self, *arguments: str) -> Done:
        """Take everything away, after a look at what that is."""
        return self._do("destroy", "--yes", *arguments)

    def changes(self) -> dict[str, str]:
        """What `pulumi preview` would do: `TYPE::NAME` to operation, without what stays."""
        return self._steps("preview")

    def drift(self) -> dict[str, str]:
        """What is not as it was left, as `pulumi refresh` would take it over."""
        return self._steps("refresh", "--preview-only")

    def set(self, values: Mapping[str, Any]) -> None:
        """Change settings; a path goes into maps, as in `cluster-egress:egress/posture`."""
        settings = yaml.safe_load(self.settings.read_text(encoding="utf-8"))
        for path, value in values.items():
            at = settings.setdefault("config", {})
            *parts, last = path.split("/")
            for part in parts:
                at = at.setdefault(part, {})
            at[last] = value
        self.settings.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")

    def remove(self, path: str) -> None:
        """Take one setting out."""
        settings = yaml.safe_load(self.settings.read_text(encoding="utf-8"))
        at = settings["config"]
        *parts, last = path.split("/")
        for part in parts:
            at = at[part]
        del at[last]
        self.settings.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")

    def _do(self, *arguments: str) -> Done:
        return self.run(*arguments, *(each for urn in self.left_out for each in ("--exclude", urn)))

    def _steps(self, *arguments: str) -> dict[str, str]:
        said = self._do(*arguments, "--json").ok().said
        steps: list[dict[str, Any]] = json.loads(said[said.index("{") :])["steps"]
        return {_name(each["urn"]): each["op"] for each in steps if each["op"] not in {"same", "refresh"}}


def _name(urn: str) -> str:
    """The resource's own type and its name."""
    kind, name = urn.split("::")[2:]
    return f"{kind.split('$')[-1].split(':')[-1]}::{name}"
