"""Thousands of hosts need hundreds of resources, and adding one touches a handful."""

import random
from pathlib import Path
from typing import Any

import pytest

from cli.offline.preview import preview
from tests.scale.declarations import destination, write_config, write_stack

HOSTS, GROUPS = 1000, 20


def _registered(project: Path) -> dict[str, Any]:
    recording = preview(project, "dev", with_policy=False)
    return {each.urn: each.inputs for each in recording.registrations if not each.is_stack}


def test_a_thousand_hosts_are_at_most_250_resources(project: Path) -> None:
    """Guards against a plan whose preview time grows with hosts instead of groups."""
    write_stack(project, hosts=HOSTS, groups=GROUPS)
    assert len(_registered(project)) <= 250


def test_a_thousand_hosts_of_one_client_group_are_at_most_150_resources_of_the_mesh(project: Path) -> None:
    """Guards against a plan that needs objects for every host where all hosts have the same clients."""
    write_stack(project, hosts=HOSTS, groups=1)
    assert 30 <= sum("EgressGateway$" in urn for urn in _registered(project)) <= 150


@pytest.mark.parametrize("groups", [1, GROUPS])
def test_adding_a_host_changes_at_most_five_objects(project: Path, groups: int) -> None:
    """Guards against a new host that replaces objects of others, or makes every sidecar reload everything.

    Where a chunk overflows, half of it moves to one new VirtualService; that one is created, and nothing is deleted.
    """
    config = write_stack(project, hosts=HOSTS, groups=groups)
    before = _registered(project)
    chosen = random.Random(2026)  # noqa: S311 (a fixed choice, not a secret)
    for number in chosen.sample(range(HOSTS, 100 * HOSTS), 8):
        added = {f"host-{number}": destination(number, chosen.randrange(groups))}
        destinations = config["cluster-egress:destinations"]
        write_config(project, {**config, "cluster-egress:destinations": {**destinations, **added}})
        after = _registered(project)
        assert before.keys() <= after.keys(), f"adding host {number} deletes or renames something"
        changed = [urn for urn, inputs in before.items() if after[urn] != inputs]
        created = after.keys() - before.keys()
        assert len(changed) <= 5, f"adding host {number} changes {changed}"
        assert len(created) <= 1, f"adding host {number} creates {created}"
