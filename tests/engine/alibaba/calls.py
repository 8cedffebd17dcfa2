"""A log of who was asked what, in which order, and with which answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_READS = ("Describe", "List", "Get")
_OF_THE_FORM = frozenset(
    {"AccessKeyId", "ClientToken", "Format", "RegionId", "SecureTransport", "SourceIp", "Timestamp", "Version"}
)
"""Parameters that say nothing of what is wanted."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call."""

    action: str
    """The API's name for it."""
    parameters: Mapping[str, Any]
    """What was wanted: without signature and the like."""
    refused: str | None
    """The error code; `None` where it was done."""
    at: float
    """When it was answered, in seconds of a clock that only goes on."""

    @property
    def writes(self) -> bool:
        """Whether it would change something."""
        return not self.action.startswith(_READS)


class Calls:
    """All calls, in their order."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def add(self, action: str, parameters: Mapping[str, Any], refused: str | None) -> None:
        """One more."""
        said = {
            key: value
            for key, value in parameters.items()
            if key not in _OF_THE_FORM and not key.startswith("Signature")
        }
        self._calls.append(Call(action=action, parameters=said, refused=refused, at=time.monotonic()))

    def clear(self) -> None:
        """Forget what was; for a test that asks about what comes."""
        self._calls.clear()

    def actions(self) -> set[str]:
        """What was asked for at all, by the names of the actions."""
        return {each.action for each in self._calls}

    def of(self, *actions: str) -> list[Call]:
        """Those of some actions."""
        return [each for each in self._calls if each.action in actions]

    def writes(self) -> list[Call]:
        """Those that would change something."""
        return [each for each in self._calls if each.writes]

    def written(self) -> list[str]:
        """What changed something, by the names of the actions."""
        return [each.action for each in self.writes() if each.refused is None]

    def refused(self) -> list[str]:
        """What would have changed something and was refused: `ACTION CODE`."""
        return [f"{each.action} {each.refused}" for each in self.writes() if each.refused is not None]
