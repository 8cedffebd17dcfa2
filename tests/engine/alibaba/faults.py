"""What goes wrong on purpose, by action."""

from dataclasses import dataclass

from tests.engine.alibaba.api import Refused


@dataclass(kw_only=True)
class _Fault:
    refusal: Refused
    skipped: int
    left: int
    done_first: bool


class Faults:
    """What is refused although nothing is wrong with it."""

    def __init__(self) -> None:
        self._planned: dict[str, _Fault] = {}

    def throttle(self, action: str, *, times: int) -> None:
        """The next calls come too fast (ECS and others, "Throttling": HTTP 400, `Throttling.User`); tried again."""
        refusal = Refused("Throttling.User", "Request was denied due to user flow control.")
        self.fail(action, refusal, times=times)

    def fail(self, action: str, refusal: Refused, *, times: int = 1, after: int = 0) -> None:
        """Refuse `times` calls, once `after` were answered."""
        self._planned[action] = _Fault(refusal=refusal, skipped=after, left=times, done_first=False)

    def lose_answer(self, action: str, *, after: int = 0) -> None:
        """Do what one call asks for, and say then that something went wrong: HTTP 500, which is tried again."""
        refusal = Refused("InternalError", "The request processing has failed due to some unknown error.", status=500)
        self._planned[action] = _Fault(refusal=refusal, skipped=after, left=1, done_first=True)

    def before(self, action: str) -> None:
        """Ask before a call is done.

        Raises:
            Refused: it is one that is not done.
        """
        self._ask(action, done=False)

    def after(self, action: str) -> None:
        """Ask after a call was done.

        Raises:
            Refused: nobody is to know that it was done.
        """
        self._ask(action, done=True)

    def _ask(self, action: str, *, done: bool) -> None:
        fault = self._planned.get(action)
        if fault is None or fault.done_first != done:
            return
        if fault.skipped:
            fault.skipped -= 1
        elif fault.left:
            fault.left -= 1
            raise fault.refusal
