"""Judges a labelled corpus: objects with the verdict that each should get, one JSON object a line.

Keys of a row: `id`, `object`, `verdict` (`deny` or `allow`), and optionally `context` (what is approved and known; its
keys are those of `_CONTEXT_KEYS` in cli/check/corpus_rows.py), `severity` (`warn`: allowed, but must be reported),
`rule`, `why`, `source`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.check.corpus_rows import Row, read_rows
from policy.registry import judge
from policy.rule import Severity, Violation
from policy.subjects import subjects_of

_RELATED: Final = "a related object"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A row and what the pack says of its object."""

    row: Row
    denied: bool
    reported: bool
    """Whether there is a warning, or more."""
    rules: tuple[str, ...]
    """The ids of the rules that the object violates."""

    @property
    def missed(self) -> bool:
        """Whether the pack lets through what should be denied, or leaves unsaid what should be reported."""
        return not self.denied and (self.row.deny or (self.row.must_be_reported and not self.reported))

    @property
    def rejected(self) -> bool:
        """Whether the pack denies what should be allowed."""
        return self.denied and not self.row.deny


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The whole corpus, judged."""

    rows: tuple[Judged, ...]

    @property
    def missed(self) -> tuple[Judged, ...]:
        """The rows that should be denied or reported, and are not."""
        return tuple(row for row in self.rows if row.missed)

    @property
    def rejected(self) -> tuple[Judged, ...]:
        """The rows that should be allowed, and are not."""
        return tuple(row for row in self.rows if row.rejected)

    @property
    def agrees(self) -> bool:
        """Whether every verdict is the expected one."""
        return not self.missed and not self.rejected


def judge_corpus(file: Path) -> Outcome:
    """Judge every row, its object and those related to it together.

    Raises:
        SettingsFileError: the file cannot be read, is empty or holds malformed rows; all of them at once.
    """
    return Outcome(rows=tuple(_judged(row) for row in read_rows(file)))


def corpus_lines(outcome: Outcome) -> Iterator[str]:
    """A line for each row whose verdict differs, and the sums last."""
    for judged in outcome.rows:
        if judged.missed or judged.rejected:
            expected = "deny" if judged.row.deny else "allow, reported" if judged.row.must_be_reported else "allow"
            got = "deny" if judged.denied else "allow, unreported" if judged.row.must_be_reported else "allow"
            yield f"{judged.row.id}: expected {expected}; got {got}; rules: {', '.join(judged.rules) or 'none'}"
    missed, rejected = len(outcome.missed), len(outcome.rejected)
    agree = len(outcome.rows) - missed - rejected
    yield f"{agree} agree, {missed} deny missed, {rejected} allow rejected"


def _judged(row: Row) -> Judged:
    subjects = [*subjects_of(row.object)]
    for related in row.related:
        subjects += subjects_of(related, _RELATED)
    # What is said of the stack as a whole counts for the object: only what names a related one does not.
    violations: list[Violation] = [each for each in judge(subjects, row.context) if each.origin != _RELATED]
    return Judged(
        row=row,
        denied=any(violation.severity is Severity.BLOCK for violation in violations),
        reported=violations != [],
        rules=tuple(sorted({violation.rule.id for violation in violations})),
    )
