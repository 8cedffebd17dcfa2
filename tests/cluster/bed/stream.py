"""Requests that flow while something else happens, and what became of each."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Stream:
    """What was asked again and again, and how often it ended how."""

    outcomes: Counter[str] = field(default_factory=Counter[str])

    def wait_for(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more requests have ended, so that some of them began after this moment.

        Raises:
            TimeoutError: they do not.
        """
        wanted, deadline = self.outcomes.total() + more, time.monotonic() + seconds
        while self.outcomes.total() < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.outcomes.total()} requests ended, of {wanted}")
            time.sleep(0.05)


@contextmanager
def flowing(*requests: Callable[[], str]) -> Generator[Stream]:
    """Repeat each request, in a thread of its own, as long as the block runs.

    Args:
        requests: each asks once, and says how it ended.
    """
    stream, over = Stream(), threading.Event()

    def repeat(request: Callable[[], str]) -> None:
        while not over.is_set():
            stream.outcomes[request()] += 1
            over.wait(0.1)

    threads = [threading.Thread(target=repeat, args=(request,), daemon=True) for request in requests]
    for thread in threads:
        thread.start()
    try:
        stream.wait_for(2 * len(requests))
        yield stream
    finally:
        over.set()
        for thread in threads:
            thread.join()
