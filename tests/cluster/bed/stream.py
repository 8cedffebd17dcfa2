"""Requests that flow while something else happens, and what became of each."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_SECONDS: Final = 90.0


class Stream:
    """What was asked again and again, and how often it ended how."""

    def __init__(self, requests: int) -> None:
        """For so many kinds of requests."""
        self._lock = threading.Lock()
        self._outcomes: list[Counter[str]] = [Counter() for _ in range(requests)]

    @property
    def outcomes(self) -> dict[str, int]:
        """How often a request ended how, of all kinds together."""
        with self._lock:
            return dict(sum(self._outcomes, Counter[str]()))

    def add(self, kind: int, outcome: str) -> None:
        """Note the end of a request."""
        with self._lock:
            self._outcomes[kind][outcome] += 1

    def wait_for(self, more: int) -> None:
        """Wait until so many more requests of each kind have ended, so that some of them began after this moment.

        Raises:
            TimeoutError: they do not.
        """
        wanted, deadline = [count + more for count in self._counts()], time.monotonic() + _SECONDS
        while any(count < each for count, each in zip(self._counts(), wanted, strict=True)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._counts()} requests ended, of {wanted}")
            time.sleep(0.05)

    def _counts(self) -> list[int]:
        with self._lock:
            return [outcomes.total() for outcomes in self._outcomes]


@contextmanager
def flowing(*requests: Callable[[], str]) -> Generator[Stream]:
    """Repeat each request, in a thread of its own, as long as the block runs.

    Args:
        requests: each asks once, and says how it ended.
    """
    stream, over = Stream(len(requests)), threading.Event()

    def repeat(kind: int, request: Callable[[], str]) -> None:
        while not over.is_set():
            try:
                stream.add(kind, request())
            except Exception as error:  # noqa: BLE001 - a request that could not even be made is an outcome too
                stream.add(kind, f"{type(error).__name__}: {error}")
            over.wait(0.1)

    threads = [
        threading.Thread(target=repeat, args=(kind, request), daemon=True) for kind, request in enumerate(requests)
    ]
    for thread in threads:
        thread.start()
    try:
        stream.wait_for(2)
        yield stream
    finally:
        over.set()
        for thread in threads:
            thread.join()
