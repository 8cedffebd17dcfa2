"""The pack beside the real Envoy Gateway: what it lets through is blocked, and what it refuses is never allowed."""

from pathlib import Path

import pytest

from tests.cluster.toolchains import version_of
from tests.differential.cases import CORPUS
from tests.differential.envoy_gateway import Verdict
from tests.differential.report import PAGE, compare, page

_SOCKET = "routes may not lead to sockets, but policies may, and this one is approved: the Backend alone does not tell"

ONLY_ENVOY_GATEWAY_REFUSES = {"approved-other-01": _SOCKET, "approved-other-02": _SOCKET}
"""Cases that Envoy Gateway refuses and the pack allows, and why that is right."""


def test_envoy_gateway_and_the_pack(egctl: Path, subtests: pytest.Subtests) -> None:
    """One test, because the comparison takes most of a minute, and parallel runs would each make it."""
    comparisons = compare(egctl)
    blocked = {found.case.id: set(found.blocked_by) for found in comparisons}

    with subtests.test("guards against a comparison in which nothing reaches Envoy, so that nothing is compared"):
        assert {found.outcome.verdict for found in comparisons} == set(Verdict)
        assert len(comparisons) > len(CORPUS.read_text(encoding="utf-8").splitlines()) / 2

    with subtests.test("guards against a pack that is weaker than the program it guards"):
        refused = {found.case.id for found in comparisons if found.outcome.verdict in (Verdict.SCHEMA, Verdict.REFUSED)}
        assert {name for name in refused if not blocked[name]} == set(ONLY_ENVOY_GATEWAY_REFUSES)

    with subtests.test("guards against a known gap of Envoy Gateway that no rule closes: every case of ours is unsafe"):
        # EGR501 does not count: it blocks every route of ours, because none of them says who may come in.
        assert [name for name in blocked if name.startswith("own-") and not blocked[name] - {"EGR501"}] == []

    with subtests.test(
        "guards against a gap of Envoy Gateway that a changed rule opens again, and against a stale page"
    ):
        assert page(comparisons, version_of("egctl")) == PAGE.read_text(encoding="utf-8")
