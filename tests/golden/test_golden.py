"""Everything that each stack registers, whole. `make generate` writes the goldens anew; read the diff."""

from pathlib import Path

import pytest

from cli.offline.preview import preview
from tests.golden.render import GOLDEN_STACKS, golden_file, golden_text, project_of

_KNOWN = {"dev": [(False, "EGR111 questionable-port")]}
"""What the pack says of good stacks: httpbin.org answers in plain text."""


@pytest.mark.parametrize("stack", GOLDEN_STACKS)
def test_stack_registers_exactly_this(stack: str) -> None:
    """Guards against a change anywhere that adds, drops or alters a resource without anyone seeing it in review."""
    assert golden_text(stack) == golden_file(stack).read_text(encoding="utf-8"), "`make generate`, then read the diff"


@pytest.mark.parametrize("stack", GOLDEN_STACKS)
def test_stack_passes_its_own_pack(stack: str) -> None:
    """Guards against shipping an example that our own rules refuse."""
    with project_of(stack) as project:
        result = preview(project, stack)
    assert result.policy is not None
    said = [
        (violation.blocking, violation.message.partition("\n")[2].split(":")[0])
        for violation in result.policy.violations
    ]
    assert said == _KNOWN.get(stack, [])


def test_every_golden_has_a_stack() -> None:
    """Guards against a golden that nothing compares any more."""
    assert {path.stem for path in Path(__file__).parent.glob("*.yaml")} == set(GOLDEN_STACKS)
