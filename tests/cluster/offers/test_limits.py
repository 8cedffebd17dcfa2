"""How much callers may ask, with the real Envoy Gateway, rate limiter and Valkey: what is beyond is refused."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.processes import wait_until
from tests.cluster.offers.aiming import proxies, straight, suspended
from tests.cluster.offers.asking import APART, Caller
from tests.cluster.offers.declared import NAMESPACE

RATE_LIMITERS: Final = (NAMESPACE, "app.kubernetes.io/name=envoy-ratelimit")
"""Namespace and selector of what counts for all proxies together."""
_COUNTED: Final = ("200", "429")
_CLOSED: Final = (35, 52, 56)
"""What curl says of a connection that is closed: in the handshake, before an answer, while it receives."""


def _counted(answers: Iterator[str], number: int) -> list[str]:
    """So many answers that were counted: those before the proxies knew the way were not."""
    told: list[str] = []
    passed_over: list[str] = []

    def enough() -> bool:
        answer = next(answers)
        (told if answer in _COUNTED else passed_over).append(answer)
        return len(told) == number

    wait_until(enough, f"{number} answers", seconds=60, why_not=lambda: f"{told}, and {passed_over}")
    return told


def _counters_work(cluster: Cluster, caller: Caller, value: str) -> None:
    """Every proxy has found the rate limiter, and that its Redis."""
    for number, proxy in enumerate(proxies(cluster)):
        url = "http://few-each.example.org/"
        caller.settled(url, *straight(url, proxy), "--header", f"x-caller: {value}-{number}")


@pytest.mark.proves(
    "north-south", "beyond a limit of each proxy callers are answered 429, and the backend is not asked"
)
def test_each_proxy_counts_for_itself(offered: Cluster, caller: Caller) -> None:
    """Guards against a limit that nobody keeps, that is kept for each connection, or that paths get round."""
    url, since = "http://few.example.org/", offered.outside.count("vm1")
    for number, proxy in enumerate(proxies(offered)):
        turns = (caller.curl(f"{url}few/{number}/{turn}", *straight(url, proxy)) for turn in itertools.count())
        assert _counted((answer.outcome for answer in turns), 8) == ["200"] * 3 + ["429"] * 5
    assert caller.curl(f"{url}few/service").outcome == "429"
    seen = offered.outside.seen("vm1", since=since, event="request")
    assert len([request for request in seen if request["path"].startswith("/few/")]) == 3 * len(proxies(offered))


@pytest.mark.proves(
    "north-south", "beyond a limit that proxies count together callers are answered 429, to the request"
)
def test_all_proxies_count_together(offered: Cluster, caller: Caller) -> None:
    """Guards against a count that each proxy has of its own: callers would get as many times the limit."""
    _counters_work(offered, caller, "together")
    url, since = "http://few-together.example.org/together", offered.outside.count("vm1")
    turns = (caller.curl(url, *straight(url, proxy)) for proxy in itertools.cycle(proxies(offered)))
    assert _counted((answer.outcome for answer in turns), 12) == ["200"] * 3 + ["429"] * 9
    assert len(offered.outside.seen("vm1", since=since, event="request", path="/together")) == 3


@pytest.mark.proves("north-south", "callers are counted one by one, by a header of theirs")
def test_callers_are_counted_one_by_one(offered: Cluster, caller: Caller) -> None:
    """Guards against one caller who uses up what others may ask."""
    _counters_work(offered, caller, "one-by-one")
    url = "http://few-each.example.org/each"

    def ask(*headers: str) -> str:
        return caller.curl(url, *(word for header in headers for word in ("--header", header))).outcome

    for name in ("jane", "john"):
        assert _counted((ask(f"x-caller: {name}") for _ in itertools.count()), 5) == ["200"] * 2 + ["429"] * 3
    assert ask("x-caller: jill") == "200"
    assert {ask() for _ in range(5)} == {"200"}, "counted without the header, which nobody asked for"


@pytest.mark.proves("north-south", "while nobody counts, limited requests are refused, and others are not")
@pytest.mark.parametrize(
    ("namespace", "selector", "container"),
    [("monitoring", "app=redis", "app"), (*RATE_LIMITERS, "envoy-ratelimit")],
    ids=["redis", "rate-limiter"],
)
def test_nobody_counts(offered: Cluster, caller: Caller, namespace: str, selector: str, container: str) -> None:
    """Guards against limits that are off as soon as Redis, or the rate limiter, is overwhelmed."""
    _counters_work(offered, caller, f"before-{container}")
    url, since = "http://few-each.example.org/nobody", offered.outside.count("vm1")
    with suspended(offered.pods(namespace, selector), container):
        for number, proxy in enumerate(proxies(offered)):
            header = ("--header", f"x-caller: {container}-{number}")
            assert caller.curl(url, *straight(url, proxy), *header).outcome == "500"
            assert (
                caller.curl("http://small.example.org/", *straight("http://small.example.org", proxy)).outcome == "200"
            )
        assert offered.outside.seen("vm1", since=since, event="request", path="/nobody") == []
    _counters_work(offered, caller, f"after-{container}")


@pytest.mark.proves("north-south", "a request that is too large is answered 413, and the backend does not see it")
def test_large_requests_are_refused(offered: Cluster, caller: Caller) -> None:
    """Guards against a limit that is off by one, or that a body of unsaid length gets round."""
    url, since = "http://small.example.org", offered.outside.count("vm1")
    caller.settled(f"{url}/")
    chunked = ("--header", "transfer-encoding: chunked")
    told = {
        (size, more): caller.curl(f"{url}/small/{size}", *more, "--data", "x" * size).outcome
        for size in (1024, 1025, 100_000)
        for more in ((), chunked)
    }
    assert told == {(size, more): "200" if size == 1024 else "413" for size, more in told}
    seen = offered.outside.seen("vm1", since=since, event="request", method="POST")
    assert {request["path"] for request in seen if request["path"].startswith("/small/")} == {"/small/1024"}


@pytest.mark.proves("north-south", "more requests at a time than a backend takes are answered 503, and only its own")
def test_requests_at_a_time(offered: Cluster, caller: Caller) -> None:
    """Guards against a circuit breaker that never breaks, that breaks for others, or that stays broken."""
    (proxy, *_), since = proxies(offered), offered.outside.count("vm1")

    def ask(url: str) -> str:
        return caller.curl(url, *straight(url, proxy)).outcome

    url = "http://narrow.example.org"
    caller.settled(f"{url}/", *straight(url, proxy))
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(ask, f"{url}/wait/4/narrow")
        wait_until(
            lambda: offered.outside.seen("vm1", since=since, event="request", path="/wait/4/narrow") != [],
            "the slow request",
        )
        assert [ask(f"{url}/narrow") for _ in range(2)] == ["503", "503"]
        assert ask("http://small.example.org/") == "200"
        assert not slow.done(), "too late to have been at the same time"
        assert slow.result() == "200"
    assert offered.outside.seen("vm1", since=since, event="request", path="/narrow") == []
    assert ask(f"{url}/narrow") == "200"


@pytest.mark.proves(
    "north-south",
    "more connections than a Gateway takes are closed",
    kinds=("ClientTrafficPolicy.gateway.envoyproxy.io",),
)
def test_open_connections(offered: Cluster, caller: Caller) -> None:
    """Guards against connections without end, which take a proxy's memory; and against a door that stays shut."""
    (proxy, *_), since = proxies(offered, APART), offered.outside.count("vm1")
    url = "https://modern.example.org"
    at = straight(url, proxy)
    caller.settled(f"{url}/", *at)
    with ThreadPoolExecutor() as threads:
        slow = {path: threads.submit(caller.curl, f"{url}{path}", *at) for path in ("/wait/4/one", "/wait/4/two")}
        wait_until(
            lambda: (
                {request["path"] for request in offered.outside.seen("vm1", since=since, event="request")} >= set(slow)
            ),
            "both slow requests",
        )
        assert caller.curl(f"{url}/third", *at).exit_code in _CLOSED
        assert not any(each.done() for each in slow.values()), "too late to have been the third"
        assert {each.result().outcome for each in slow.values()} == {"200"}
    assert offered.outside.seen("vm1", since=since, event="request", path="/third") == []
    caller.settled(f"{url}/", *at)
