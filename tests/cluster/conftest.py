"""One bed for all cluster tests, with the stack `dev` on it."""

import signal
import sys
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import cache

import pytest

from tests.cluster.bed.cluster import Cluster, running
from tests.cluster.bed.pods import OFFER, Client
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.requirements import missing
from tests.support import dev_values, settings_of

_STARTED = time.monotonic()


def say(text: str) -> None:
    """Tell whoever waits what is being done."""
    print(f"bed: {time.monotonic() - _STARTED:5.1f} s  {text}", file=sys.__stderr__, flush=True)


def _stop(number: int, _frame: object) -> None:
    raise KeyboardInterrupt(f"ended by signal {number}")


@pytest.fixture(scope="session")
def bed_allowed(request: pytest.FixtureRequest) -> None:
    """A bed may be started: it was asked for, and the machine has what it needs."""
    if not request.config.getoption("--cluster"):
        pytest.skip("a cluster is started only by `make test-cluster`")
    if lacking := missing():
        pytest.skip(f"no cluster can be started here: {'; '.join(lacking)}")
    signal.signal(signal.SIGTERM, _stop)  # so that whoever cancels a run leaves nothing behind


@pytest.fixture(scope="session")
def bare(bed_allowed: None) -> Generator[Cluster]:
    """A cluster with nothing of ours on it."""
    with running(settings_of(dev_values()), say) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster(bare: Cluster) -> Cluster:
    """A cluster with the stack `dev`, and pods that ask."""
    say("applying the stack dev")
    bare.apply(bare.stack("dev"))
    say("starting the pods that ask")
    bare.add_clients()
    settle(bare)
    say("ready")
    return bare


def settle(cluster: Cluster) -> None:
    """Wait until every way works once: the proxies learn of their configuration after their pods are ready.

    One that never does is left to the test of that way.
    """
    reader, probe = cluster.client("news", "reader"), cluster.client("monitoring", "probe")
    ways: list[Callable[[], str]] = [
        lambda: reader.curl("http://edition.cnn.com/settle").outcome,
        lambda: reader.curl("https://edition.cnn.com/settle").outcome,
        *(
            lambda host=host: probe.curl(f"{OFFER}/settle", "--header", f"host: {host}").outcome
            for host in ("n9e.jiaxzeng.com", "httpbin.org")
        ),
    ]
    for way in ways:
        with suppress(TimeoutError):
            wait_until(lambda way=way: way() == "200", "a way", seconds=20)


@pytest.fixture(scope="session")
def client(cluster: Cluster) -> Client:
    """The pods that ask, by namespace and name; they stay the same."""
    return cache(cluster.client)
