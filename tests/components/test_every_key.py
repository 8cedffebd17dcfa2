"""What settings and approvals allow, the pack allows: nobody is told no twice, by two who disagree."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.components.previewing import previewed
from tests.every_key import rich_values
from tests.every_offer_key import every_offer_values
from tests.support import Values


def _blocked(project: Path, values: Values) -> list[str]:
    found = previewed(project, values, with_policy=True).violations
    return [f"{each.policy}: {each.message}" for each in found if each.blocking]


@pytest.mark.parametrize("values", [rich_values, every_offer_values])
def test_the_pack_blocks_nothing_that_settings_can_ask_for(project: Path, values: Callable[[], Values]) -> None:
    """Guards against a rule that refuses what a key of the settings becomes."""
    assert _blocked(project, values()) == []
