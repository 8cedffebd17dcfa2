"""The ranges of vSwitches that are created: what the VPC would refuse, and what is too small for what is in it."""

import pytest

from tests.every_cloud_key import flannel_values, host_network_values, terway_values
from tests.support import Values, changed, setting, told

_H, _I = "egress.nodes.zones.cn-hangzhou-h", "egress.nodes.zones.cn-hangzhou-i"
_EVERY = (f"{_H}.nodes", f"{_H}.pods", "egress.addresses.network", "egress.firewall.network")


def _with(path: str, cidr: str) -> Values:
    return changed(setting(path, cidr), terway_values())


@pytest.mark.parametrize("path", _EVERY)
@pytest.mark.parametrize("cidr", ["8.8.8.0/24", "100.64.1.0/24", "2001:db8::/64", "fd00:1::/64", "172.32.0.0/24"])
def test_ranges_are_private_ones_of_ipv4(path: str, cidr: str) -> None:
    """A vSwitch took addresses that are somebody's on the internet; or had none that the firewall sees."""
    assert told(_with(path, cidr)) == [
        (path, f"{cidr} is not in private IPv4 address space", "a range of the VPC, as `10.20.1.0/24`")
    ]


@pytest.mark.parametrize("path", _EVERY)
def test_ranges_have_a_size_that_a_vswitch_may_have(path: str) -> None:
    """The run ended half-way, at a vSwitch that the VPC refused."""
    narrowest = 28 if path.endswith("network") else 29
    instead = f"a prefix length from /16 to /{narrowest}"
    assert told(_with(path, "172.16.0.0/15")) == [(path, "172.16.0.0/15 is too large for this vSwitch", instead)]
    assert told(_with(path, "172.16.0.0/16")) == []
    assert told(_with(path, f"172.16.0.0/{narrowest}")) == []
    too_small = f"172.16.0.0/{narrowest + 1}"
    assert told(_with(path, too_small)) == [(path, f"{too_small} is too small for this vSwitch", instead)]


@pytest.mark.parametrize(
    ("path", "cidr", "other"),
    [
        (f"{_I}.nodes", "192.168.0.64/27", f"{_H}.nodes, 192.168.0.64/26"),
        (f"{_H}.pods", "192.168.0.0/25", f"{_H}.nodes, 192.168.0.64/26"),
        (f"{_I}.pods", "10.244.8.0/24", f"{_H}.pods, 10.244.8.0/24"),
        ("egress.addresses.network", "10.244.9.16/28", f"{_I}.pods, 10.244.9.0/24"),
        ("egress.firewall.network", "192.168.0.192/28", "egress.addresses.network, 192.168.0.192/28"),
    ],
)
def test_no_two_ranges_share_an_address(path: str, cidr: str, other: str) -> None:
    """The second vSwitch was refused when the first was there."""
    found = {(where, wrong, instead) for where, wrong, instead in told(_with(path, cidr))}
    assert (path, f"{cidr} shares addresses with {other}", "a range of its own") in found


@pytest.mark.parametrize(("count", "ok"), [(10, True), (11, True), (12, False)])
def test_the_firewall_has_more_addresses_than_there_are_elastic_ones(count: int, ok: bool) -> None:
    """The firewall could not be switched on: each elastic address takes one of its vSwitch's."""
    values = changed(setting("egress.addresses.count", count), flannel_values())
    wrong = "192.168.0.208/28 has 12 addresses for the firewall, which needs more than the 12 elastic ones"
    assert told(values) == ([] if ok else [("egress.firewall.network", wrong, "a larger range")])
    assert told(changed(setting("egress.firewall.network", "192.168.0.224/27"), values)) == []


@pytest.mark.parametrize(("count", "ok"), [(7, True), (8, True), (9, False)])
def test_a_zone_has_room_for_its_share_of_the_nodes(count: int, ok: bool) -> None:
    """The pool stayed smaller than declared, for want of addresses."""
    values = changed(setting(f"{_H}.nodes", "192.168.0.64/29"), host_network_values())
    values["egress"]["nodes"]["count"] = count
    wrong = "192.168.0.64/29 has 4 addresses for 5 nodes"
    assert told(values) == ([] if ok else [(f"{_H}.nodes", wrong, "a larger range")])


def test_a_zone_has_room_for_its_share_of_the_most_nodes() -> None:
    """As above, for a pool by load."""
    values = changed(setting(f"{_I}.nodes", "192.168.0.128/29"), flannel_values())
    assert told(values) == []
    values["egress"]["nodes"]["autoscaling"]["max"] = 9
    assert [path for path, _, _ in told(values)] == [f"{_I}.nodes"]


def test_ranges_are_judged_also_where_other_values_are_wrong() -> None:
    """A slip in another key hid two ranges that overlap."""
    values = _with(f"{_I}.nodes", "192.168.0.64/26")
    values["egress"]["nodes"]["instanceTypes"] = []
    assert [path for path, _, _ in told(values)] == ["egress.nodes.instanceTypes", f"{_I}.nodes"]
