"""The labelled corpora: the pack agrees with every verdict, but for those that are disputed here with a reason."""

from pathlib import Path

import pytest

from cli.check.corpus import Judged, judge_corpus

FILES = sorted((Path(__file__).parent / "corpus").glob("*.jsonl"))
DISPUTED: dict[str, str] = {}
"""Rows whose label looks wrong to us: id -> our verdict and the reason."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_verdicts_agree(file: Path) -> None:
    """Guards against an unsafe object that passes, a safe one that is blocked, and a doubtful one that goes unsaid."""
    differing = {each.row.id: _told(each) for each in judge_corpus(file).rows if each.missed or each.rejected}
    assert {row: told for row, told in differing.items() if row not in DISPUTED} == {}


def test_disputes_are_real() -> None:
    """Guards against a dispute that outlives its cause."""
    rows = [each for file in FILES for each in judge_corpus(file).rows]
    differing = {each.row.id for each in rows if each.missed or each.rejected}
    assert set(DISPUTED) - differing == set()


def test_ids_are_unique() -> None:
    """Guards against a dispute about one row that excuses another."""
    ids = [each.row.id for file in FILES for each in judge_corpus(file).rows]
    assert len(ids) == len(set(ids))


def _told(each: Judged) -> str:
    return f"expected {'deny' if each.row.deny else 'allow'}, rules {each.rules}"
