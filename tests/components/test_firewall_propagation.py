"""Waiting for the firewall's engines: after a change of the policies, and at no other time."""

import os
import subprocess
import sys
from typing import Any

import pytest

from components import firewall_propagation
from components.firewall_propagation import Waiting
from tests.projects import ROOT

_OLD: dict[str, Any] = {"policies": "a", "seconds": 180}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited."""
    waits: list[float] = []
    monkeypatch.setattr(firewall_propagation.time, "sleep", waits.append)
    return waits


def test_new_policies_are_waited_for(slept: list[float]) -> None:
    """Nodes came while the engines still let everything pass."""
    created = Waiting().create(_OLD)
    assert slept == [180]
    assert created.outs == _OLD


def test_changed_policies_are_waited_for(slept: list[float]) -> None:
    """Clients were told of a host that the engines did not let pass yet."""
    new = _OLD | {"policies": "b"}
    assert Waiting().diff("x", _OLD, new).changes is True
    assert Waiting().update("x", _OLD, new).outs == new
    assert slept == [180]


def test_another_number_of_seconds_is_noted_and_not_waited_for(slept: list[float]) -> None:
    """A change of the setting alone held up a run; or came back as a change in every preview."""
    new = _OLD | {"seconds": 240}
    assert Waiting().diff("x", _OLD, new).changes is True
    assert Waiting().update("x", _OLD, new).outs == new
    assert slept == []


def test_what_has_not_changed_is_no_change(slept: list[float]) -> None:
    """Every preview showed an update, because the engine adds keys of its own."""
    assert Waiting().diff("x", _OLD, _OLD | {"__provider": "another pickle"}).changes is False
    Waiting().delete("x", _OLD)
    assert slept == []


def test_the_provider_in_the_state_is_the_same_in_every_run() -> None:
    """Its pickle differed from run to run, and a preview showed a change where there is none."""
    code = (
        "from pulumi.dynamic.dynamic import serialize_provider; from components.firewall_propagation import Waiting; "
        "print(serialize_provider(Waiting()))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
