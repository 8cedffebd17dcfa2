"""The real engine: `pulumi` and its providers from PATH, a file backend, a home of its own."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.projects import ROOT, engine_environment, use_charts

_CHARTS = {"base": "base", "istiod": "istiod", "gateway": "gateway", "chart": "gateway-helm"}
_NOBODY = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "nobody",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "nothing",
    # Whoever is asked outside is asked here, where nobody listens.
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Runs `pulumi` in one project on one of its stacks."""

    project: Path
    environment: dict[str, str]
    stack: str = "dev"
    policy_pack: str = "policy"

    def run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `pulumi` with these arguments; its exit code is the test's to judge."""
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.project,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def preview(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `pulumi preview` with the policy pack."""
        return self.run("preview", "--stack", self.stack, "--policy-pack", self.policy_pack, *arguments)


@pytest.fixture
def engine(project: Path, tmp_path: Path) -> Engine:
    """The engine with the stack `dev` of the repository, whose charts stand on this machine."""
    charts_from(project, tmp_path / "charts", "dev")
    return _started(Engine(project=project, environment=_environment(tmp_path)))


@pytest.fixture
def prod_engine(project: Path, tmp_path: Path) -> Engine:
    """The engine with the stack `prod`: the real provider of Alibaba Cloud, credentials that are none, no network."""
    if shutil.which("pulumi-resource-alicloud") is None:
        pytest.skip("pulumi-resource-alicloud is not on PATH (the CLI gets it, as it gets its other providers)")
    charts_from(project, tmp_path / "charts", "prod")
    return _started(Engine(project=project, environment=_environment(tmp_path) | _NOBODY, stack="prod"))


@pytest.fixture
def whole_engine(prod_engine: Engine) -> Engine:
    """The same, with the kinds of resources that `prod` does without: both boundaries, shared bandwidth."""
    file = prod_engine.project / "stacks" / "Pulumi.prod.yaml"
    whole = yaml.safe_load(file.read_text())
    egress = whole["config"]["cluster-egress:egress"]
    egress["firewall"]["internetBoundary"] = egress["addresses"]["sharedBandwidth"] = True
    whole["config"]["cluster-egress:cloud"]["limits"]["internetPolicies"] = 10000
    file.write_text(yaml.safe_dump(whole))
    return prod_engine


@pytest.fixture
def other_engine(tmp_path: Path) -> Engine:
    """The engine with a project that is not ours, and our pack."""
    project = tmp_path / "other"
    shutil.copytree(ROOT / "tests" / "other_project", project, ignore=shutil.ignore_patterns("__pycache__"))
    environment = _environment(tmp_path) | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return _started(Engine(project=project, environment=environment, stack="prod", policy_pack=str(ROOT / "policy")))


def _started(engine: Engine) -> Engine:
    for program in ("pulumi", "pulumi-resource-kubernetes"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH (`make engine` gets the CLI, and the CLI its provider)")
    assert (made := engine.run("stack", "init", engine.stack)).returncode == 0, made.stderr
    return engine


def _environment(tmp_path: Path) -> dict[str, str]:
    more = {"PULUMI_DEBUG_COMMANDS": "true", "KUBECONFIG": str(tmp_path / "no-cluster")}
    return engine_environment(tmp_path) | more


def charts_from(project: Path, folder: Path, stack: str) -> None:
    """Put empty charts there: the engine loads charts even in a preview, and tests reach no registry."""
    for chart in _CHARTS.values():
        (folder / chart / "templates").mkdir(parents=True)
        (folder / chart / "Chart.yaml").write_text(f"{{apiVersion: v2, name: {chart}, version: 1.0.0}}\n")
    install = {key: str(folder / chart) for key, chart in _CHARTS.items()}
    envoy_gateway = install.pop("chart")
    use_charts(project, stack, istio=install, envoy_gateway=envoy_gateway)
