"""The real `egctl` and Envoy, or a skip that says why there is none."""

from pathlib import Path

import pytest

from tests.cluster.bed.envoy import envoy_program
from tests.cluster.toolchains import ToolchainMissing, tool


@pytest.fixture(scope="session")
def egctl() -> Path:
    """Built before by `make toolchains`: nobody who runs the tests should wait minutes for a compiler unasked."""
    try:
        return tool("egctl", build=False)
    except ToolchainMissing as missing:
        pytest.skip(f"the differential test needs Envoy Gateway's egctl: {missing}")


@pytest.fixture(scope="session")
def envoy() -> Path:
    """Installed before by `make toolchains`: a hundred megabytes that most who run the tests do not need."""
    try:
        return envoy_program()
    except FileNotFoundError as missing:
        pytest.skip(f"the differential test needs Envoy: {missing}; `make toolchains` installs it")
