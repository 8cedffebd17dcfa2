"""Stacks on the stand-in's cloud."""

import copy
import shutil
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.alibaba.asking import new_cloud
from tests.engine.alibaba.cloud import AlibabaCloud
from tests.engine.alibaba.on_cloud import OnCloud
from tests.engine.alibaba.server import serving
from tests.engine.conftest import charts_from
from tests.projects import ROOT, copy_project, engine_environment

_PROGRAMS = ("pulumi", "pulumi-resource-alicloud")
SECONDS = 2
"""How long a change of the firewall's policies takes to be in force, here."""


@pytest.fixture(scope="session")
def plugin() -> None:
    """The engine is there, and so is the plugin for Alibaba Cloud."""
    for program in _PROGRAMS:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")
    signal.signal(signal.SIGTERM, _stop)  # so that whoever cancels a run leaves nothing behind


def _stop(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(f"ended by signal {number}")


@pytest.fixture
def gateway(plugin: None, tmp_path: Path) -> Generator[OnCloud]:
    """A program with one of each resource, and a cloud on which there is nothing yet."""
    project = tmp_path / "gateway"
    shutil.copytree(Path(__file__).parent / "programs" / "gateway", project)
    (project / ".venv").symlink_to(ROOT / ".venv")
    cloud = new_cloud()
    with serving(cloud, tmp_path / "tls") as served:
        environment = engine_environment(tmp_path) | served.environment
        settings = project / "Pulumi.dev.yaml"
        on_cloud = OnCloud(cloud=cloud, project=project, environment=environment, stack="dev", settings=settings)
        on_cloud.run("stack", "init").ok()
        yield on_cloud


def _new_prod(folder: Path) -> OnCloud:
    """Our stack `prod`, and the cloud that it names, on which there is nothing yet. Nobody serves it yet either."""
    project = copy_project(folder / "project")
    charts_from(project, folder / "charts", "prod")
    prod = OnCloud(
        cloud=AlibabaCloud(
            region="cn-hangzhou",
            vpc="vpc-bp1example0prod0000000",
            ranges=("10.20.0.0/16",),
            cluster="c0123456789abcdef0123456789abcdef",
        ),
        project=project,
        environment=engine_environment(folder) | {"KUBECONFIG": str(folder / "no-cluster")},
        stack="prod",
        settings=project / "stacks" / "Pulumi.prod.yaml",
        left_out=("**kubernetes:**",),
    )
    prod.set({"cluster-egress:egress/firewall/propagationSeconds": SECONDS})
    prod.run("stack", "init").ok()
    return prod


@contextmanager
def _served(prod: OnCloud) -> Generator[OnCloud]:
    with serving(prod.cloud, prod.project.parent / "tls") as served:
        yield replace(prod, environment={**prod.environment, **served.environment})


@pytest.fixture
def new_prod(plugin: None, tmp_path: Path) -> Generator[OnCloud]:
    """Our stack `prod`, and the cloud that it names, on which there is nothing yet."""
    with _served(_new_prod(tmp_path)) as prod:
        yield prod


@pytest.fixture(scope="session")
def first_prod(plugin: None, tmp_path_factory: pytest.TempPathFactory) -> OnCloud:
    """The stack `prod` after its first `up`; to be looked at only, since all others are made from it."""
    with _served(_new_prod(tmp_path_factory.mktemp("prod"))) as prod:
        prod.up().ok()
        return prod


@pytest.fixture
def prod(first_prod: OnCloud, tmp_path: Path) -> Generator[OnCloud]:
    """The same as one that a test may change, with a log of calls in which there are none yet."""
    before, project = first_prod.project.parent, tmp_path / "project"
    shutil.copytree(first_prod.project, project, symlinks=True)
    environment = engine_environment(tmp_path)
    shutil.copytree(before / "state", tmp_path / "state", dirs_exist_ok=True)
    mine = replace(
        first_prod,
        cloud=copy.deepcopy(first_prod.cloud),
        project=project,
        environment=environment | {"KUBECONFIG": first_prod.environment["KUBECONFIG"]},
        settings=project / "stacks" / first_prod.settings.name,
    )
    mine.cloud.calls.clear()
    with _served(mine) as served:
        yield served
