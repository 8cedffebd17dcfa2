"""The kinds of plain value that are about requests: durations, methods, paths, headers, keys."""

import json
import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from components.settings.problems import shown, wrong
from policy.facts.names import parse_hostname

_DURATION: Final = re.compile(r"[1-9][0-9]{0,6}(ms|s|m|h)")
_TOKEN: Final = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
_PATH: Final = re.compile(r"/([A-Za-z0-9._~!$&'()+,;=:@%-]+/?)*\*?")
_KEY_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members of a JSON Web Key that only its owner may know (RFC 7518, section 6)."""
_OURS: Final = frozenset({"host", "connection", "transfer-encoding", "content-length", "upgrade", "te"})
"""Headers by which proxies know where a request goes and where it ends."""


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise wrong(f"{shown(text)} is not a duration", "a whole number and ms, s, m or h, for example `30s`")
    return text


def _header(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise wrong(f"{shown(text)} is not the name of a header", "in lower case, for example `x-team`")
    if text in _OURS:
        raise wrong(f"{text} decides where a request goes or ends, so it is not yours to change", "another header")
    return text


def _header_value(text: str) -> str:
    if not text.isprintable() or text != text.strip() or "%" in text:
        raise wrong(
            f"{shown(text)} is not plain text", "printable characters, without `%`, which Envoy reads as a command"
        )
    return text


def _path(text: str) -> str:
    if not _PATH.fullmatch(text) or "//" in text or any(part in (".", "..") for part in text.split("/")):
        raise wrong(f"{shown(text)} is not a path", "`/v1/news`, or `/v1/*` for everything below")
    return text


def _https(text: str) -> str:
    address = urlsplit(text)
    try:
        fine = address.scheme == "https" and parse_hostname(address.hostname or "") == address.hostname
        fine = fine and address.port != 0 and not (address.username or address.password or address.fragment)
    except ValueError:
        fine = False
    if not fine or not text.isascii() or not text.isprintable() or " " in text:
        raise wrong(f"{shown(text)} is not an https address", "for example `https://sso.example.com/keys`")
    return text


def _keys(text: str) -> str:
    try:
        keys: Any = json.loads(text)["keys"]
        found = {part for key in keys for part in key}
    except (ValueError, TypeError, KeyError) as error:
        raise wrong("is not a JSON Web Key Set", '`{"keys": [...]}` in quotes, as the issuer publishes it') from error
    if not keys or found & _KEY_PARTS:
        raise wrong("has no keys, or secret ones, with which anybody could sign", "the issuer's public keys")
    return text


Duration = Annotated[str, AfterValidator(_duration)]
"""A time: `300ms`, `30s`, `5m`, `1h`."""
Percent = Annotated[int, Field(ge=1, le=100)]
"""A share in percent."""
HttpMethod = Annotated[str, Field(pattern=r"^[A-Z]{3,16}$")]
"""An HTTP method in upper case."""
HttpPath = Annotated[str, AfterValidator(_path)]
"""A path, exact, or with `*` at its end."""
HeaderName = Annotated[str, AfterValidator(_header)]
"""An HTTP header in lower case, none by which proxies know where a request goes."""
HeaderValue = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_header_value)]
"""What stands in a header."""
HttpsUrl = Annotated[str, AfterValidator(_https)]
"""An `https://` address of a public name."""
JsonWebKeys = Annotated[str, AfterValidator(_keys)]
"""A JSON Web Key Set with public keys only, as text."""
