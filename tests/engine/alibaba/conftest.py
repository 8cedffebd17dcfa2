"""The real engine with the real plugin for Alibaba Cloud, and the stand-in that it asks."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.engine.alibaba.asking import new_cloud
from tests.engine.alibaba.cloud import AlibabaCloud
from tests.engine.alibaba.server import serving
from tests.projects import ROOT, engine_environment

_PROGRAMS = ("pulumi", "pulumi-resource-alicloud")
_SECONDS = 300
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


@dataclass(frozen=True, kw_only=True)
class OnCloud:
    """A project, its stack `dev`, and the cloud on which it is."""

    cloud: AlibabaCloud
    project: Path
    environment: dict[str, str]
    stack: str = "dev"

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
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"{arguments}: not done after {_SECONDS} s; {process.communicate()[0]}") from late
        return Done(code=process.returncode, said=said)

    def configure(self, **values: Any) -> None:
        """Set what the program asks the configuration for."""
        file = self.project / f"Pulumi.{self.stack}.yaml"
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
        settings["config"] = {f"stand-in:{key}": value for key, value in values.items()}
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")

    def up(self, *arguments: str) -> Done:
        """Create and change what is declared."""
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def destroy(self, *arguments: str) -> Done:
        """Take everything away."""
        return self.run("destroy", "--yes", "--skip-preview", *arguments)

    def changes(self, *arguments: str) -> dict[str, str]:
        """What `pulumi preview` would do: `TYPE::NAME` to operation, without what stays."""
        return self._steps("preview", *arguments)

    def drift(self) -> dict[str, str]:
        """What is not as it was left, as `pulumi refresh` would take it over."""
        return self._steps("refresh", "--preview-only")

    def _steps(self, *arguments: str) -> dict[str, str]:
        said = self.run(*arguments, "--json").ok().said
        steps: list[dict[str, Any]] = json.loads(said[said.index("{") :])["steps"]
        return {_name(each["urn"]): each["op"] for each in steps if each["op"] not in {"same", "refresh"}}


def _name(urn: str) -> str:
    """The resource's own type and its name."""
    kind, name = urn.split("::")[2:]
    return f"{kind.split('$')[-1].split(':')[-1]}::{name}"


Started = Callable[[Path, AlibabaCloud], OnCloud]


@pytest.fixture
def started(tmp_path: Path) -> Generator[Started]:
    """Put a project's stack on a cloud, which is served until the test ends."""
    for program in _PROGRAMS:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")
    with ExitStack() as until_the_end:

        def start(project: Path, cloud: AlibabaCloud) -> OnCloud:
            served = until_the_end.enter_context(serving(cloud, tmp_path / "tls"))
            on_cloud = OnCloud(
                cloud=cloud, project=project, environment=engine_environment(tmp_path) | served.environment
            )
            on_cloud.run("stack", "init").ok()
            return on_cloud

        yield start


@pytest.fixture
def gateway(started: Started, tmp_path: Path) -> OnCloud:
    """A program with one of each resource, and a cloud on which there is nothing yet."""
    project = tmp_path / "gateway"
    shutil.copytree(Path(__file__).parent / "programs" / "gateway", project)
    (project / ".venv").symlink_to(ROOT / ".venv")
    return started(project, new_cloud())
