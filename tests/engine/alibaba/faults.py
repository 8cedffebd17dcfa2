"""What goes wrong on purpose, by action."""

from collections import Counter
from dataclasses import dataclass

from tests.engine.alibaba.api import Refused


@dataclass(frozen=True, kw_only=True)
class _Fault:
    action: str
    calls: range
    """Which of the action's calls, the first of all times is 1."""
    refusal: Refused
    done_first: bool


class Faults:
    """What is refused although nothing is wrong with it."""

    def __init__(self) -> None:
        self._planned: list[_Fault] = []
        self._asked: Counter[str] = Counter()

    def throttle(self, action: str, *, times: int) -> None:
        """The next calls come too fast (ECS and others, "Throttling": HTTP 400, `Throttling.User`); tried again."""
        self.fail(action, Refused("Throttling.User", "Request was denied due to user flow control."), times=times)

    def fail(self, action: str, refusal: Refused, *, times: int = 1, after: int = 0) -> None:
        """Refuse `times` calls, once `after` more were answered."""
        self._plan(action, refusal, times, after, done_first=False)

    def lose_answer(self, action: str, *, after: int = 0) -> None:
        """Do what one call asks for, and say then that something went wrong: HTTP 500, which is tried again."""
        refusal = Refused("InternalError", "The request processing has failed due to some unknown error.", status=500)
        self._plan(action, refusal, 1, after, done_first=True)

    def before(self, action: str) -> None:
        """Ask before a call is done.

        Raises:
            Refused: it is one that is not done.
        """
        self._asked[action] += 1
        self._ask(action, done=False)

    def after(self, action: str) -> None:
        """Ask after a call was done.

        Raises:
            Refused: nobody is to know that it was done.
        """
        self._ask(action, done=True)

    def _plan(self, action: str, refusal: Refused, times: int, after: int, *, done_first: bool) -> None:
        first = self._asked[action] + after + 1
        calls = range(first, first + times)
        self._planned.append(_Fault(action=action, calls=calls, refusal=refusal, done_first=done_first))

    def _ask(self, action: str, *, done: bool) -> None:
        for each in self._planned:
            if each.action == action and each.done_first == done and self._asked[action] in each.calls:
                raise each.refusal
