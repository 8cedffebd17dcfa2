"""A stack of the repository, with the charts of this machine: what it registers, and the commands that install it."""

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from cli.offline.preview import preview
from cli.render.manifests import write_manifests
from tests.cluster.bed.charts import Charts
from tests.cluster.bed.network import inside
from tests.cluster.sabotage import sabotage
from tests.projects import copy_project, use_charts

Key = tuple[str, str, str]
"""Resource, namespace and name of an object."""
_COMMAND_SECONDS: Final = 150
"""How long a command may take; all of them take less than 10 on an idle machine. What they wait for is a pod."""
_NUMBERED: Final = re.compile(r"\d{3,}-")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A copy of the project whose stack names the bed's charts."""

    project: Path
    name: str

    @property
    def file(self) -> Path:
        """The stack file."""
        return self.project / "stacks" / f"Pulumi.{self.name}.yaml"

    @property
    def approvals(self) -> Path:
        """The approvals."""
        return self.project / "policy" / "approvals" / f"{self.name}.yaml"

    def manifests(self, folder: Path) -> "Manifests":
        """What the stack registers, as the offline preview writes it.

        Raises:
            AssertionError: the policy pack blocks it.
        """
        result = preview(self.project, self.name)
        assert not result.blocked, result.violations
        write_manifests(result, folder, charts_from=self.project)
        sabotage(folder)
        return Manifests(folder=folder)


@dataclass(frozen=True, kw_only=True)
class Manifests:
    """A folder that `egress preview --manifests` wrote."""

    folder: Path

    @property
    def commands(self) -> list[str]:
        """The commands of its README, in order."""
        text = (self.folder / "README.md").read_text(encoding="utf-8")
        return text.partition("```sh\n")[2].partition("\n```")[0].splitlines()

    def objects(self) -> dict[Key, Any]:
        """Every object that is not a chart's, in order."""
        found: dict[Key, Any] = {}
        for path in sorted(self.folder.glob("*.yaml")):
            item = yaml.safe_load(path.read_text(encoding="utf-8"))
            metadata = item["metadata"]
            found[resource(item), metadata.get("namespace", ""), metadata["name"]] = item
        return found

    def apply(
        self,
        environment: dict[str, str],
        namespace: str,
        *,
        after: "Manifests | None" = None,
        why_not: Callable[[], str] = lambda: "",
    ) -> None:
        """Run the commands in a network namespace, in order.

        Args:
            environment: for the commands.
            namespace: the network namespace.
            after: what was applied before; what has not changed since is left out, as the engine does.
            why_not: asked for the reason if a command does not end in time.

        Raises:
            AssertionError: one fails, or takes too long; the message is its own, or the reason.
        """
        known: set[str] = set() if after is None else set(after.contents().values())
        contents = self.contents()
        for command in self.commands:
            name = next(word.partition("/")[0] for word in command.split() if _NUMBERED.match(word))
            if contents[name] in known:
                continue
            self.run(command, environment, namespace, why_not=why_not)

    def run(
        self, command: str, environment: dict[str, str], namespace: str, *, why_not: Callable[[], str] = lambda: ""
    ) -> None:
        """Run one command in a network namespace.

        Raises:
            AssertionError: it fails, or takes too long; the message is its own, or the reason.
        """
        try:
            done = subprocess.run(
                [*inside(namespace), "sh", "-c", command],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=_COMMAND_SECONDS,
            )
        except subprocess.TimeoutExpired as late:
            raise AssertionError(f"{command}\ndid not end in {_COMMAND_SECONDS} s: {why_not()}") from late
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def deletions(self, newer: "Manifests") -> list[str]:
        """The commands that delete what newer manifests do not have, the last that was applied first."""
        kept = set(newer._deletions())
        return [command for command in reversed(self._deletions()) if command not in kept]

    def _deletions(self) -> list[str]:
        """What would delete each object and each release, in the order in which they were applied."""
        commands: list[str] = []
        for path in sorted(self.folder.iterdir()):
            if not _NUMBERED.match(path.name):
                continue
            if path.is_dir():
                chart = yaml.safe_load((path / "chart.yaml").read_text(encoding="utf-8"))
                commands.append(f"helm uninstall {chart['name']} --namespace {chart['namespace']}")
                continue
            item = yaml.safe_load(path.read_text(encoding="utf-8"))
            metadata = item["metadata"]
            where = f" --namespace {metadata['namespace']}" if "namespace" in metadata else ""
            commands.append(f"kubectl delete {resource(item)} {metadata['name']}{where} --ignore-not-found")
        return commands

    def contents(self) -> dict[str, str]:
        """What each file, and each release's folder, says."""
        found: dict[str, str] = {}
        for path in sorted(self.folder.iterdir()):
            if _NUMBERED.match(path.name):
                files = [path / "chart.yaml", path / "values.yaml"] if path.is_dir() else [path]
                found[path.name] = "\n".join(each.read_text(encoding="utf-8") for each in files)
        return found


def resource(item: Mapping[str, Any]) -> str:
    """What kubectl calls an object's kind without mistaking it for another's, as `Gateway.v1.networking.istio.io`."""
    group, _, version = item["apiVersion"].rpartition("/")
    return f"{item['kind']}.{version}.{group}" if group else item["kind"]


def copy_stack(name: str, folder: Path, charts: Charts) -> Stack:
    """Copy the project, and have one of its stacks take the charts of this machine."""
    stack = Stack(project=copy_project(folder / "project"), name=name)
    istio = {"base": str(charts.base), "istiod": str(charts.istiod), "gateway": str(charts.gateway)}
    use_charts(stack.project, name, istio=istio, envoy_gateway=str(charts.envoy_gateway))
    return stack
