"""Writes plain values as literals of CEL, the language of admission policies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A named part of a policy; the API server works it out once for each request, and only where it is asked for."""

    name: str
    expression: str


def text(value: str) -> str:
    """A string literal, in ASCII: JSON's escapes are CEL's, but for what lies above U+FFFF."""
    literal = json.dumps(value, ensure_ascii=False)
    return "".join(character if character.isascii() else f"\\U{ord(character):08x}" for character in literal)


def texts(values: Iterable[str]) -> str:
    """A list of strings, sorted, each once."""
    return f"[{', '.join(text(value) for value in sorted(set(values)))}]"


def numbers(values: Iterable[int]) -> str:
    """A list of numbers, sorted, each once."""
    return f"[{', '.join(str(value) for value in sorted(set(values)))}]"


def phrases(values: Mapping[int, str]) -> str:
    """A map from numbers to strings."""
    return f"{{{', '.join(f'{key}: {text(value)}' for key, value in sorted(values.items()))}}}"


def networks(values: Iterable[IPv4Network | IPv6Network]) -> str:
    """A list of CIDRs, in the order that they have."""
    return f"[{', '.join(f'cidr({text(str(value))})' for value in values)}]"
