"""What all tests share: one fixed day, and a project that a test may change."""

import os
from pathlib import Path

import pytest

from tests.projects import copy_project

TODAY = "2026-11-23"

# Set before anything is imported, and passed on to every process that a test starts.
os.environ["EGRESS_TODAY"] = TODAY


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--cluster`, which starts a whole cluster: minutes, root, and programs that are built first."""
    parser.addoption("--cluster", action="store_true", help="start a real cluster for the tests that need one")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, with the same virtual environment."""
    return copy_project(tmp_path / "project")
