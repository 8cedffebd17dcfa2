"""What a plain (unquoted) YAML scalar is to kubectl.

kubectl reads YAML with sigs.k8s.io/yaml 1.6, and that with go.yaml.in/yaml/v2: YAML 1.1's booleans and octal numbers,
no time stamps, no base 60 (resolve.go). What Go rounds, or reads by an accident of its libraries, is refused.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """A scalar's value, or why it is refused."""

    value: str | int | float | bool | None
    refused: str = ""


_FIXED: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_NUMBER_STARTS: Final = frozenset("+-.0123456789")
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
# strconv.ParseInt with base 0, after all underscores are gone.
_INTEGER: Final = re.compile(
    r"(?P<sign>[-+]?)(?:0[bB](?P<b>[01]+)|0[xX](?P<x>[0-9a-fA-F]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_BASES: Final = {"b": 2, "x": 16, "o": 8, "d": 10}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_ODD_BINARY: Final = re.compile(r"0b[-+][01]+")
_MAX_DIGITS: Final = 400


@lru_cache(maxsize=65_536)
def resolve(text: str) -> Scalar:
    """What the plain scalar `text` is."""
    if text in _FIXED:
        return Scalar(value=_FIXED[text])
    if text[0] not in _NUMBER_STARTS:
        return Scalar(value=text)
    if _DECIMAL.fullmatch(text):
        return Scalar(value=int(text))
    plain = text.replace("_", "")
    if (refused := _accident(text, plain)) != "":
        return Scalar(value=text, refused=refused)
    if (integer := _INTEGER.fullmatch(plain)) is not None:
        return _integer(text, integer)
    return _float(text, plain) if _FLOAT.fullmatch(plain) else Scalar(value=text)


def _accident(text: str, plain: str) -> str:
    """Why a scalar that begins like a number is refused; empty if it is not."""
    if _NOT_FINITE.fullmatch(text):
        return "a number that is infinite, or none"
    if text[0] == "." and plain != text and _FLOAT.fullmatch(plain):
        return "a fraction with `_` in it"
    if _ODD_BINARY.fullmatch(plain):
        return "a binary number with its sign in the middle"
    return ""


def whole_number(number: float) -> int | float:
    """`number` as it reaches the API server: Go writes a whole number below 1e21 without a fraction."""
    if number.is_integer() and abs(number) < 1e21 and int(number) in INT64:  # noqa: PLR2004 encoding/json, floatEncoder
        return int(number)
    return number


def _integer(text: str, match: re.Match[str]) -> Scalar:
    base = next(name for name in _BASES if match[name] is not None)
    digits = match[base]
    if len(digits) > _MAX_DIGITS:
        return Scalar(value=text, refused=TOO_LARGE)
    number = int(f"{match['sign']}{digits}", _BASES[base])
    return Scalar(value=number) if number in INT64 else Scalar(value=text, refused=TOO_LARGE)


def _float(text: str, plain: str) -> Scalar:
    number = float(plain)
    if number in {float("inf"), float("-inf")}:
        return Scalar(value=text, refused=TOO_LARGE)
    return Scalar(value=whole_number(number))


TOO_LARGE: Final = "a number of more than 64 bits, which readers round"
