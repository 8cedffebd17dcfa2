"""One bed for all cluster tests, with the stack `dev` on it."""

import sys
import time
from collections.abc import Callable, Generator

import pytest

from tests.cluster.bed.cluster import Cluster, running
from tests.cluster.bed.pods import Pod
from tests.cluster.bed.requirements import missing
from tests.cluster.bed.stack import Stack
from tests.support import dev_values, settings_of

_STARTED = time.monotonic()


def say(text: str) -> None:
    """Tell whoever waits what is being done."""
    print(f"bed: {time.monotonic() - _STARTED:5.1f} s  {text}", file=sys.__stderr__, flush=True)


@pytest.fixture(scope="session")
def bed_allowed(request: pytest.FixtureRequest) -> None:
    """A bed may be started: it was asked for, and the machine has what it needs."""
    if not request.config.getoption("--cluster"):
        pytest.skip("a cluster is started only by `make test-cluster`")
    if lacking := missing():
        pytest.skip(f"no cluster can be started here: {'; '.join(lacking)}")


@pytest.fixture(scope="session")
def bare(bed_allowed: None) -> Generator[Cluster]:
    """A cluster with nothing of ours on it."""
    with running(settings_of(dev_values()), say) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def stack(bare: Cluster) -> Stack:
    """The stack `dev`, with the charts of this machine."""
    return bare.stack("dev")


@pytest.fixture(scope="session")
def cluster(bare: Cluster, stack: Stack) -> Cluster:
    """A cluster with the stack `dev`, and pods that ask."""
    say("applying the stack dev")
    bare.apply(stack)
    say("starting the pods that ask")
    bare.add_clients()
    say("ready")
    return bare


@pytest.fixture(scope="session")
def client(cluster: Cluster) -> Callable[[str, str], Pod]:
    """The pods that ask, by namespace and name."""
    return cluster.client
