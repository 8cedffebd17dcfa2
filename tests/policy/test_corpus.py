"""The labelled corpora: the pack agrees with every verdict, but for those that are disputed here with a reason."""

import json
from pathlib import Path

import pytest

from cli.check.corpus import Judged, judge_corpus

FILES = sorted((Path(__file__).parent / "corpus").glob("*.jsonl"))
DISPUTED: dict[str, str] = {}
"""Rows whose label looks wrong to us: id -> our verdict and the reason."""

MEANT = {
    "cidr-metadata": {"EGR305"},
    "cluster-dns": {"EGR103"},
    "cluster-ip": {"EGR107"},
    "cross-namespace": {"EGR503", "EGR504"},
    "dynamic-resolver": {"EGR104"},
    "eg-config": {"EGR510", "EGR514"},
    "embedded-ipv4": {"EGR101", "EGR102", "EGR106", "EGR108"},
    "endpoint-shape": {"EGR100"},
    "endpoint-slice": {"EGR103", "EGR107"},
    "invalid-hostname": {"EGR100"},
    "invalid-ip": {"EGR100"},
    "link-local": {"EGR100", "EGR102"},
    "localhost-name": {"EGR103"},
    "loopback": {"EGR101"},
    "mapped-ipv4": {"EGR101", "EGR102", "EGR108"},
    "metadata-ip": {"EGR102"},
    "metadata-name": {"EGR103"},
    "mixed-endpoints": {"EGR101", "EGR102", "EGR103", "EGR108", "EGR110", "EGR114"},
    "numeric-host": {"EGR100"},
    "plaintext-443": {"EGR112"},
    "port-deny": {"EGR110"},
    "private-unapproved": {"EGR108"},
    "proxy-pod": {"EGR603", "EGR604", "EGR608"},
    "rbac-broad-write": {"EGR601", "EGR602"},
    "route-no-auth": {"EGR501"},
    "route-rewrite": {"EGR505"},
    "se-endpoint": {"EGR101", "EGR102", "EGR103", "EGR107", "EGR110", "EGR114"},
    "se-host-hijack": {"EGR103"},
    "se-wide-open": {"EGR201"},
    "single-label": {"EGR103"},
    "sp-url": {"EGR101", "EGR102"},
    "special-range": {"EGR106", "EGR108"},
    "special-tld": {"EGR103", "EGR109"},
    "tls-insecure": {"EGR105"},
    "unix-socket": {"EGR100", "EGR114"},
    "unspecified": {"EGR101"},
    "wide-cidr": {"EGR208", "EGR302", "EGR303", "EGR306", "EGR507"},
    "wildcard-dns": {"EGR100", "EGR103"},
    "wrapper": {"EGR101"},
}
"""The public corpus: what each of its families of defects is called here."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_verdicts_agree(file: Path) -> None:
    """Guards against an unsafe object that passes, a safe one that is blocked, and a doubtful one that goes unsaid."""
    differing = {each.row.id: _told(each) for each in judge_corpus(file).rows if each.missed or each.rejected}
    assert {row: told for row, told in differing.items() if row not in DISPUTED} == {}


def test_each_defect_is_found_by_a_rule_about_it() -> None:
    """Guards against a row that is denied for another reason than its own, and would pass once that is gone."""
    file = Path(__file__).parent / "corpus" / "public.jsonl"
    families = {row["id"]: row["rule"] for row in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    denied = [each for each in judge_corpus(file).rows if each.row.deny]
    astray = [each.row.id for each in denied if MEANT[families[each.row.id]].isdisjoint(each.rules)]
    assert astray == []


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
