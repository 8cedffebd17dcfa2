"""What all tests share: one fixed day, and a project that a test may change."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TODAY = "2026-11-23"
PROJECT_PARTS = ("Pulumi.yaml", "__main__.py", "components", "policy", "stacks")

# Set before anything is imported, and passed on to every process that a test starts.
os.environ["EGRESS_TODAY"] = TODAY


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--cluster`, which starts a whole cluster: minutes, root, and programs that are built first."""
    parser.addoption("--cluster", action="store_true", help="start a real cluster for the tests that need one")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with the same virtual environment."""
    folder = tmp_path / "project"
    folder.mkdir()
    for part in PROJECT_PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder
