"""URLs that a server fetches: strict reading of scheme, host and port. What two parsers read differently is refused."""

import re
from dataclasses import dataclass
from typing import Final

_PORTS: Final = {"http": 80, "https": 443}
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@\\\s]+)"  # no userinfo, no backslash (RFC 3986 and WHATWG URL disagree)
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?#][^\\\s]*)?"
)


@dataclass(frozen=True, kw_only=True)
class Url:
    """Where a URL leads."""

    scheme: str
    """In lower case: `http` or `https`."""
    host: str
    """A name or an address, without brackets, as it is written."""
    port: int


def parse_url(text: str) -> Url:
    """Read an `http` or `https` URL in its one plain form.

    Raises:
        ValueError: anything else: another scheme, userinfo, white space, backslashes, control characters, a port that
            is none.
    """
    match = _URL.fullmatch(text) if text.isascii() and text.isprintable() else None
    if match is None or match["scheme"].lower() not in _PORTS:
        raise ValueError(f"{text!r} is not a plain http or https URL")
    scheme = match["scheme"].lower()
    port = _PORTS[scheme] if match["port"] is None else int(match["port"])
    return Url(scheme=scheme, host=match["host"].strip("[]"), port=port)
