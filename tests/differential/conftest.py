"""The real `egctl`, or a skip that says why there is none."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.toolchains import ToolchainMissing, tool


@pytest.fixture(scope="session")
def egctl(pytestconfig: pytest.Config) -> Path:
    """Built on first use, with its progress on the terminal: the build takes minutes on a cold machine."""
    capture: Any = pytestconfig.pluginmanager.getplugin("capturemanager")  # has no public type
    try:
        with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
            return tool("egctl")
    except ToolchainMissing as missing:
        pytest.skip(f"the differential test needs Envoy Gateway's egctl: {missing}")
