"""The plan follows from what is declared, and from nothing else."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import make_plan
from components.settings.plain import is_list, is_map
from tests.declarations import declarations
from tests.support import Values, full_values, just_enough, plan_of, settings_of


def _shuffled(value: Any, data: st.DataObject) -> Any:
    """The same declaration with the keys of its maps and the items of its lists in another order."""
    if is_map(value):
        return {key: _shuffled(value[key], data) for key in data.draw(st.permutations(list(value)))}
    return data.draw(st.permutations(value)) if is_list(value) else value


@settings(max_examples=50, deadline=None)
@given(values=declarations(), data=st.data())
def test_plan_is_independent_of_the_order_of_the_declaration(values: Values, data: st.DataObject) -> None:
    """Sorting the stack file, or merging two branches, changed live objects."""
    assert plan_of(_shuffled(values, data)) == plan_of(values)


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_plan_of_every_optional_key_is_independent_of_order(data: st.DataObject) -> None:
    """As above, for backends, labels, taints and addresses."""
    assert plan_of(_shuffled(full_values(), data)) == plan_of(full_values())


@settings(max_examples=25, deadline=None)
@given(values=declarations())
def test_planning_twice_gives_the_same_plan(values: Values) -> None:
    """A plan depended on a set's order or on an earlier run, so previews were never empty."""
    accepted = settings_of(values)
    approvals = just_enough(accepted)
    assert make_plan(accepted, approvals, stack="test") == make_plan(accepted, approvals, stack="test")
