"""Every place of every fixture, with a value of another type: no rule fails."""

from collections import defaultdict
from dataclasses import replace
from typing import Final

import pytest
from mutations import changed_at, places
from rule_fixtures import TODAY, Fixture, fixtures

from policy.registry import judge
from policy.rule import Context
from policy.subjects import subjects_of

_CONTEXT: Final = Context(today=TODAY, require_declarations=True, client_namespaces=frozenset({"news"}))
_NO_HASH: Final[list[dict[str, object]]] = [{}]
_BY_RULE: Final[defaultdict[str, list[Fixture]]] = defaultdict(list)
for _fixture in fixtures():
    _BY_RULE[_fixture.path.parent.name].append(_fixture)


@pytest.mark.parametrize("rule", _BY_RULE)
def test_no_place_of_a_fixture_makes_a_rule_fail(rule: str) -> None:
    """Guards against a value that a rule looks up before it knows that it is text: lists and objects have no hash."""
    failed: list[object] = []
    for fixture in _BY_RULE[rule]:
        for number, subject in enumerate(fixture.subjects):
            others = [each for each in fixture.subjects if each is not subject]
            for path in places(subject.whole):
                changed = changed_at(subject.whole, path, _NO_HASH)
                mutated = subjects_of(changed) if subject.registration is None else (replace(subject, whole=changed),)
                told = judge((*mutated, *others), _CONTEXT)
                failed += [(fixture.path.name, number, path) for each in told if "the rule itself" in each.message]
    assert failed == []
