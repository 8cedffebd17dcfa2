"""Reads JSON as kubectl does, one value or several after one another, and refuses what invites misreading."""

import json
import re
from typing import Any, Final

from cli.check.documents import MAX_DEPTH, Document, Refusal
from cli.check.scalars import INT64, TOO_LARGE, whole_number
from cli.check.yaml_reader import read_yaml
from cli.plain_data import is_list, is_map

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_MAX_DIGITS: Final = 20
_TOO_DEEP: Final = f"more than {MAX_DEPTH} levels"


class JsonRefusedError(Exception):
    """The text is JSON, and yet two readers would read it differently. The text is the reason."""


def looks_like_json(text: str) -> bool:
    """Whether kubectl tries JSON first. What fails as JSON may still be YAML."""
    return text.lstrip()[:1] in {"{", "["}


def read_json(text: str) -> list[Document] | None:
    """The documents of a JSON text; None where it is not JSON."""
    documents: list[Document] = []
    line, end, start = 1, 0, _after_space(text, 0)
    while start < len(text):
        line += text.count("\n", end, start)
        index = len(documents)
        try:
            value, end = _DECODER.raw_decode(text, start)
            _check_tree(value)
        except json.JSONDecodeError:
            return None
        except RecursionError:
            return [*documents, _refused(text[start:], index, line, _TOO_DEEP)]
        except JsonRefusedError as error:
            return [*documents, _refused(text[start:], index, line, f"{error}")]
        documents.append(Document(index=index, line=line, value=value, span=(start, end)))
        line += text.count("\n", start, end)
        start = _after_space(text, end)
    return documents


def without_surrogates(text: str) -> str:
    """`text` for a YAML reader, which does not know JSON's escapes for characters beyond 16 bits. Lines stay."""
    return _SURROGATE.sub("?", text)


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return position if found is None else found.end()


def _refused(text: str, index: int, line: int, why: str) -> Document:
    """The YAML reader refuses the same things, and knows the lines."""
    found = next(read_yaml(without_surrogates(text)))
    if found.refusals and found.value is not None:
        refusals = tuple(Refusal(line=line + each.line - 1, why=each.why) for each in found.refusals)
        return Document(index=index, line=line, value=found.value, refusals=refusals)
    return Document(index=index, line=line, value=None, refusals=(Refusal(line=line, why=why),))


def unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For `object_pairs_hook` of a JSON decoder: an object in which each key stands once."""
    values = dict(pairs)
    if len(values) < len(pairs):
        raise JsonRefusedError("a key is written twice in one object; write it once")
    return values


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS or (number := int(text)) not in INT64:
        raise JsonRefusedError(TOO_LARGE)
    return number


def _float(text: str) -> int | float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise JsonRefusedError(TOO_LARGE)
    return whole_number(number)


def refuse_constant(_text: str) -> Any:
    """For `parse_constant` of a JSON decoder."""
    raise JsonRefusedError("NaN or Infinity, which is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=unique_pairs, parse_int=_integer, parse_float=_float, parse_constant=refuse_constant
)


def _check_tree(value: Any) -> None:
    """Refuses what Python reads and others do not, or cannot follow."""
    level: list[Any] = [value]
    depth = 0
    while level:
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                if not each.isascii():
                    _check_text(each)
            elif is_map(each) or is_list(each):
                if depth >= MAX_DEPTH:
                    raise JsonRefusedError(_TOO_DEEP)
                below.extend(each)
                if is_map(each):
                    below.extend(each.values())
        level = below
        depth += 1


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise JsonRefusedError("half of a surrogate pair, which readers replace") from error
