"""Everything that each stack registers, whole. `make generate` writes the goldens anew; read the diff."""

from pathlib import Path
from typing import Final

import pytest

from cli.offline.preview import preview
from tests.golden.render import GOLDEN_STACKS, golden_file, golden_text, project_of

@pytest.mark.parametrize("stack", GOLDEN_STACKS)
def test_stack_registers_exactly_this(stack: str) -> None:
    """Guards against a change anywhere that adds, drops or alters a resource without anyone seeing it in review."""
    assert golden_text(stack) == golden_file(stack).read_text(encoding="utf-8"), "`make generate`, then read the diff"


_TOLD: Final = {
    # httpbin.org answers in plain text.
    "dev": ["EGR111 questionable-port"],
    # What `observe` leaves open: the mesh, two sidecars and namespaces, the gateway's policies, the nodes' security
    # group. And its addresses, gateway and firewall are given up.
    "flannel": [
        "EGR202 mesh-outbound-open",
        *["EGR203 sidecar-outbound-open"] * 2,
        *["EGR210 authorization-dry-run"] * 3,
        *["EGR301 client-namespace-open"] * 2,
        "EGR730 security-group-open",
        *["EGR751 protection-given-up"] * 9,
    ],
    # The same, with one more of the gateway's policies.
    "staging": [
        "EGR202 mesh-outbound-open",
        *["EGR203 sidecar-outbound-open"] * 2,
        *["EGR210 authorization-dry-run"] * 4,
        *["EGR301 client-namespace-open"] * 2,
    ],
}
"""What the pack advises on each stack; it blocks nothing."""


@pytest.mark.parametrize("stack", GOLDEN_STACKS)
def test_stack_passes_its_own_pack(stack: str) -> None:
    """Guards against shipping an example that our own rules refuse."""
    with project_of(stack) as project:
        result = preview(project, stack)
    assert result.policy is not None
    said = [(each.blocking, each.message.partition("\n")[2].split(":")[0]) for each in result.policy.violations]
    assert sorted(said) == [(False, rule) for rule in _TOLD.get(stack, [])]


def test_every_golden_has_a_stack() -> None:
    """Guards against a golden that nothing compares any more."""
    assert {path.stem for path in Path(__file__).parent.glob("*.yaml")} == set(GOLDEN_STACKS)
