"""Ports as Alibaba Cloud writes them: `443`, `443/443`, `8000/8010`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from policy.facts.ports import LAST_PORT

_PORTS: Final = re.compile(r"([0-9]{1,5})(?:/([0-9]{1,5}))?")
_WIDE: Final = 1024
"""As many ports as there are for well-known services: nobody answers for more of them as one destination."""


@dataclass(frozen=True, kw_only=True)
class PortRange:
    """Ports from the first to the last."""

    first: int
    last: int

    @property
    def is_wide(self) -> bool:
        """Whether these are more ports than one destination has."""
        return self.last - self.first >= _WIDE

    def holds(self, number: int) -> bool:
        """Whether `number` is one of them."""
        return self.first <= number <= self.last


def are_wide(ranges: Iterable[PortRange]) -> bool:
    """Whether these together are more ports than one destination has."""
    return len({number for each in ranges for number in range(each.first, each.last + 1)}) > _WIDE


EVERY_PORT: Final = PortRange(first=0, last=LAST_PORT)


def parse_ports(text: str) -> PortRange:
    """Read ports. `0/0`, `-1/-1` and an empty text are every port.

    Raises:
        ValueError: it is something else, or its last port comes before its first.
    """
    if text in ("", "0", "0/0", "-1/-1"):
        return EVERY_PORT
    found = _PORTS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no port and no range of ports")
    first, last = int(found[1]), int(found[2] or found[1])
    if not 0 <= first <= last <= LAST_PORT:
        raise ValueError(f"{text!r} is no range of ports")
    return PortRange(first=first, last=last)
