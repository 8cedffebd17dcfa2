"""What settings and approvals allow, the pack allows: nobody is told no twice, by two who disagree."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.offline.preview import preview
from tests.every_key import rich_values
from tests.every_offer_key import every_offer_values
from tests.scale.declarations import write_config
from tests.support import Values, just_enough, settings_of


def _blocked(project: Path, values: Values) -> list[str]:
    approvals = just_enough(settings_of(values))
    file = project / "policy" / "approvals" / "dev.yaml"
    file.write_text(json.dumps(approvals.model_dump(mode="json", by_alias=True, exclude_defaults=True)))
    write_config(project, {f"cluster-egress:{key}": value for key, value in values.items()})
    return [f"{each.policy}: {each.message}" for each in preview(project, "dev").violations if each.blocking]


@pytest.mark.parametrize("values", [rich_values, every_offer_values])
def test_the_pack_blocks_nothing_that_settings_can_ask_for(project: Path, values: Callable[[], Values]) -> None:
    """Guards against a rule that refuses what a key of the settings becomes."""
    assert _blocked(project, values()) == []
