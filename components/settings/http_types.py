"""The kinds of plain value that are about requests: durations, methods, paths, headers, keys."""

import json
import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from components.settings.problems import shown, wrong
from components.settings.types import Sentence
from policy.facts.names import parse_hostname

_DURATION: Final = re.compile(r"[1-9][0-9]{0,4}(ms|s|m|h)")
_TOKEN: Final = re.compile(r"[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
_SEGMENT: Final = r"([A-Za-z0-9._~!$&'()+,;=:@-]|%[0-9A-Fa-f]{2})+"
_PATH: Final = re.compile(rf"/({_SEGMENT}(/{_SEGMENT})*/?)?")
_DOTS: Final = re.compile(r"(\.|%2[eE]){1,2}")
"""A segment of a path that Envoy resolves before anybody compares the path."""
_KEY_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members of a JSON Web Key that only its owner may know (RFC 7518, section 6)."""
_HOSTS_OWN: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers whose contents are for the host outside."""
_NOT_CALLERS: Final = frozenset(
    {
        *("x-forwarded-client-cert", "x-forwarded-for", "x-forwarded-proto", "x-request-id"),
        *("traceparent", "tracestate"),
        *("expect", "keep-alive", "proxy-connection"),
    }
)
"""Headers that Envoy writes, adds to or takes away before anybody looks at them (envoyproxy.io, "HTTP header
sanitizing"; each sent to Envoy 1.40 with Envoy Gateway's configuration). Those of connections are not in that list."""
_LONGEST_HEADER: Final = 256
_LONGEST_PATH: Final = 1024
"""Characters, as Gateway API takes them."""
_OURS: Final = frozenset({"host", "connection", "transfer-encoding", "content-length", "upgrade", "te"})
"""Headers by which proxies know where a request goes and where it ends."""


def _duration(value: Any) -> str:
    """Text only; what is none gets the same answer, because a bare number lacks no quotes but its unit."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        said = "nothing is written here" if value is None else f"{shown(value)} is not a duration"
        raise wrong(said, "a whole number and ms, s, m or h, for example `30s`")
    return value


def _header(text: str) -> str:
    if not _TOKEN.fullmatch(text) or len(text) > _LONGEST_HEADER:
        raise wrong(f"{shown(text)} is not the name of a header", "in lower case, for example `x-team`")
    if text in _OURS:
        raise wrong(f"{text} decides where a request goes or ends, so it is not yours to change", "another header")
    return text


def _caller_header(text: str) -> str:
    if "_" in text or text.startswith("x-envoy-") or text in _NOT_CALLERS:
        raise wrong(
            f"{text} does not arrive as callers send it: Gateways refuse headers with `_`, and take away or write anew "
            "those of connections, of proxies and Envoy's own",
            "another header, for example `x-api-key`",
        )
    return _header(text)


def _header_value(text: str) -> str:
    if not text.isprintable() or text != text.strip() or "%" in text:
        raise wrong(
            f"{shown(text)} is not plain text", "printable characters, without `%`, which Envoy reads as a command"
        )
    return text


def _path(text: str) -> str:
    path = text.removesuffix("*") if text.endswith("/*") else text
    if len(text) > _LONGEST_PATH or not _PATH.fullmatch(path) or any(_DOTS.fullmatch(part) for part in path.split("/")):
        raise wrong(f"{shown(text)} is not a path", "`/v1/news`, or `/v1/*` for everything below")
    return text


def _one_path(text: str) -> str:
    if text.endswith("/*"):
        raise wrong(f"{shown(text)} is every path below another, and one is meant here", "a path without `/*`")
    return text


def _token_header(text: str) -> str:
    if text in _HOSTS_OWN:
        raise wrong(
            f"{text} is for the host outside: what it is sent there would be refused here, as of an unknown issuer",
            "a header of its own, for example `x-egress-token`",
        )
    return _header(text)


def _exact(text: str) -> str:
    if text.startswith("*") or text.endswith("*"):
        raise wrong(f"{shown(text)} begins or ends with `*`, which Istio reads as `anything`", "the whole value")
    return text


def _claim(text: str) -> str:
    if any(letter in "[]" or letter.isspace() for letter in text):
        raise wrong(f"{shown(text)} is not the name of a claim", "without brackets and blanks, for example `team`")
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
        kinds = [key["kty"] for key in keys]
        found = {part for key in keys for part in key}
    except (ValueError, TypeError, KeyError) as error:
        raise wrong("is not a JSON Web Key Set", '`{"keys": [...]}` in quotes, as the issuer publishes it') from error
    if not kinds or "oct" in kinds or found & _KEY_PARTS:
        raise wrong("has no keys, or secret ones, with which anybody could sign", "the issuer's public keys")
    return text


Duration = Annotated[str, BeforeValidator(_duration)]
"""A time: `300ms`, `30s`, `5m`, `1h`."""
Percent = Annotated[int, Field(ge=1, le=100)]
"""A share in percent."""
HttpMethod = Annotated[str, Field(pattern=r"^[A-Z]{3,16}$")]
"""An HTTP method in upper case."""
HttpPath = Annotated[str, AfterValidator(_path)]
"""A path, exact, or with `/*` at its end for everything below."""
OnePath = Annotated[HttpPath, AfterValidator(_one_path)]
"""One path, without `/*`."""
ExactText = Annotated[Sentence, AfterValidator(_exact)]
"""Text that Istio compares as it is: `*` at either end would be a wildcard (AuthorizationPolicy, "Rule")."""
ClaimName = Annotated[Sentence, AfterValidator(_claim)]
"""The name of a claim, as it stands in the token; brackets would lead into a claim's parts."""
HeaderName = Annotated[str, AfterValidator(_header)]
"""An HTTP header in lower case, none by which proxies know where a request goes."""
CallerHeader = Annotated[str, AfterValidator(_caller_header)]
"""An HTTP header of a caller that reaches a Gateway of backends as it was sent."""
TokenHeader = Annotated[str, AfterValidator(_token_header)]
"""An HTTP header that holds a token for the gateway, none that belongs to the host outside."""
HeaderValue = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(_header_value)]
"""What stands in a header."""
HttpsUrl = Annotated[str, AfterValidator(_https)]
"""An `https://` address of a public name."""
JsonWebKeys = Annotated[str, AfterValidator(_keys)]
"""A JSON Web Key Set with public keys only, as text."""
