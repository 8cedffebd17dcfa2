"""What a manifest file holds: documents, each read whole or refused with the line and the reason."""

from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 100
"""Maps and lists inside one another; the deepest schemas of custom resources have about 60."""
MAX_REFUSALS: Final = 20
"""Refusals in one file; after so many it is not read on."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One place that cannot be read, or that two readers would read differently. Shows no value: it may be secret."""

    line: int
    """From 1."""
    why: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document of a file."""

    index: int
    """Which document of the file it is, from 0, empty ones counted."""
    line: int
    """Where it begins, from 1."""
    value: object
    """Plain data; as far as it could be read where there are refusals."""
    refusals: tuple[Refusal, ...] = ()
    """Why it is refused; none where it was read."""
    span: tuple[int, int] | None = None
    """Where its text stands in the file, where documents are not separated as YAML does it."""


class DepthError(Exception):
    """A value holds more than `MAX_DEPTH` levels."""
