"""A pool of nodes by itself: its number, its zones, and what keeps others away."""

from typing import Any

import pytest

from tests.every_cloud_key import flannel_values, terway_values
from tests.support import changed, setting, settings_of, told

_NODES = "egress.nodes"


@pytest.mark.parametrize(
    ("key", "value", "path", "wrong"),
    [
        ("count", 1, ".count", "1 is too small"),
        ("autoscaling", {"min": 2, "max": 4}, "", "has no number of nodes, or two"),
        ("taints", {"pool": {"effect": "NoSchedule"}}, ".taints", "pool has no value to give to the nodes"),
        ("taints", {"pool": {"value": "a", "effect": "PreferNoSchedule"}}, ".taints", "keep no pod away for certain"),
        ("instanceTypes", ["g7.xlarge"], ".instanceTypes[0]", '"g7.xlarge" is not of the form that is needed'),
        ("disk", {"gib": 20}, ".disk.gib", "20 is too small"),
        ("image", "Ubuntu", ".image", '"Ubuntu" is not known here'),
    ],
)
def test_pools_that_cannot_be_are_refused(key: str, value: Any, path: str, wrong: str) -> None:
    """The pool was another than meant, or anybody's pods ran on it."""
    found = told(changed(setting(f"{_NODES}.{key}", value), terway_values()))
    assert (f"{_NODES}{path}", wrong) in [(where, what) for where, what, _ in found]


def test_a_pool_without_a_number_is_refused() -> None:
    """There was no node."""
    values = changed(lambda all_values: all_values["egress"]["nodes"].pop("count"), terway_values())
    assert [(path, wrong) for path, wrong, _ in told(values)] == [(_NODES, "has no number of nodes, or two")]


def test_a_pool_in_one_zone_is_refused() -> None:
    """With its zone every client lost its way out."""
    values = changed(lambda all_values: all_values["egress"]["nodes"]["zones"].pop("cn-hangzhou-i"), terway_values())
    assert told(values) == [(f"{_NODES}.zones", "is one zone, and with it everything would fail", "at least two")]


@pytest.mark.parametrize(("number", "ok"), [(9, True), (10, True), (11, False)])
def test_a_pool_takes_ten_types_of_instances(number: int, ok: bool) -> None:
    """The pool was refused when everything else was there."""
    values = changed(setting(f"{_NODES}.instanceTypes", [f"ecs.g7.{n}xlarge" for n in range(number)]), terway_values())
    wrong = (f"{_NODES}.instanceTypes", "are 11 types, and a pool takes 10", "fewer")
    assert told(values) == ([] if ok else [wrong])


@pytest.mark.parametrize(("number", "ok"), [(7, True), (8, True), (9, False)])
def test_a_pool_takes_the_vswitches_of_eight_zones(number: int, ok: bool) -> None:
    """As above, for zones."""
    zones = {f"cn-hangzhou-{'abcdefghi'[n]}": {"nodes": f"172.16.{n}.0/24"} for n in range(number)}
    values = changed(setting(f"{_NODES}.zones", zones), flannel_values())
    values["egress"]["nodes"]["autoscaling"]["min"] = number
    values["egress"]["nodes"]["autoscaling"]["max"] = number
    wrong = (f"{_NODES}.zones", "are 9 zones, and a pool takes the vSwitches of 8", "fewer")
    assert told(values) == ([] if ok else [wrong])


@pytest.mark.parametrize("scaled", [{"count": 2}, {"autoscaling": {"min": 2, "max": 9}}])
def test_every_zone_has_a_node(scaled: dict[str, Any]) -> None:
    """A zone had a vSwitch and no node, so that its failure was everybody's."""
    values = terway_values()
    del values["egress"]["nodes"]["count"]
    values["egress"]["nodes"] |= scaled
    values["egress"]["nodes"]["zones"]["cn-hangzhou-b"] = {"nodes": "192.168.0.224/27", "pods": "10.244.10.0/24"}
    assert [(path, wrong) for path, wrong, _ in told(values)] == [(_NODES, "has 2 nodes for 3 zones")]


def test_a_range_of_numbers_has_its_ends_in_order() -> None:
    """The autoscaler was given a range in which no number is."""
    values = changed(setting(f"{_NODES}.autoscaling", {"min": 4, "max": 3}), flannel_values())
    assert [(path, wrong) for path, wrong, _ in told(values)] == [
        (f"{_NODES}.autoscaling", "at most 3 nodes, and at least 4")
    ]


def test_a_pool_keeps_others_away_without_being_told() -> None:
    """Whoever left taints out had anybody's pods on the egress nodes."""
    nodes = settings_of(terway_values()).egress.nodes
    assert nodes.labels == {"cluster-egress/egress": "true"}
    assert [(taint.value, taint.effect) for taint in nodes.taints.values()] == [("true", "NoSchedule")]
