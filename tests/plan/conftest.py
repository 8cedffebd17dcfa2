"""Programs that tests of plans ask."""

from pathlib import Path

import pytest

from tests.cluster.toolchains import ToolchainMissing, tool


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Built before by `make toolchains`: nobody who runs the tests should wait minutes for a compiler unasked."""
    try:
        return tool("promtool", build=False)
    except ToolchainMissing as missing:
        pytest.skip(f"alert rules are run by Prometheus' promtool: {missing}")
