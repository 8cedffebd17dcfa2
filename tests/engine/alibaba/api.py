"""What a call is made of: parameters in, an answer or a refusal out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]
"""The body of an answer; `RequestId` is added later."""


class Refused(Exception):  # noqa: N818 - an answer like any other
    """The API's `no`: an error code, what it says, and its HTTP status."""

    def __init__(self, code: str, message: str = "", *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message or code, status

    @property
    def body(self) -> Answer:
        """As every product answers it."""
        return {"Code": self.code, "Message": self.message, "HostId": "stand-in"}


@dataclass(frozen=True)
class Parameters:
    """The parameters of an RPC call; lists come flat, as `Name.1.Key`."""

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        if (value := self.values.get(name)) is None:
            raise Refused("MissingParameter", f"{name} is mandatory for this action")
        return value

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: str = "") -> str:
        """A parameter that may be left out."""
        return self.values.get(name, default)

    def flag(self, name: str) -> bool:
        """A parameter that is true or false, and false if it is left out."""
        return self.get(name).lower() in {"true", "1"}

    def texts(self, name: str) -> list[str]:
        """A list of texts, in its order."""
        found = {int(m[1]): value for key, value in self.values.items() if (m := re.fullmatch(rf"{name}\.(\d+)", key))}
        return [found[number] for number in sorted(found)]

    def parts(self, name: str) -> list["Parameters"]:
        """A list of maps, in its order."""
        found: dict[int, dict[str, str]] = {}
        for key, value in self.values.items():
            if match := re.fullmatch(rf"{name}\.(\d+)\.(.+)", key):
                found.setdefault(int(match[1]), {})[match[2]] = value
        return [Parameters(found[number]) for number in sorted(found)]


Action = Callable[[Parameters], Answer]
Actions = Mapping[str, Action]
"""By the name that the API gives them."""
