"""The stack `prod`, and changes that would put something new in the place of what is protected."""

import pytest

from tests.engine.alibaba.on_cloud import OnCloud

pytestmark = pytest.mark.engine


@pytest.mark.parametrize(
    ("path", "value", "resource"),
    [
        ("cluster-egress:egress/firewall/network", "10.20.10.32/28", "firewall"),
        ("cluster-egress:egress/addresses/network", "10.20.10.32/28", "nat"),
        ("cluster-egress:egress/addresses/zone", "cn-hangzhou-i", "nat"),
        ("cluster-egress:egress/addresses/count", 1, "eip-2"),
        ("cluster-egress:cluster/name", "prod-2", "firewall"),
    ],
)
@pytest.mark.proves("cloud", "addresses, gateway and firewall are not replaced unless settings say so")
def test_what_is_protected_is_not_replaced(prod: OnCloud, path: str, value: object, resource: str) -> None:
    """Guards against a new firewall, gateway or address by the way: the preview says no."""
    prod.set({path: value})
    said = prod.run("preview").failed().said
    assert "protect" in said
    assert f"::{resource}" in said


@pytest.mark.proves("cloud", "another firewall can be had")
def test_new_firewall_where_settings_say_so(prod: OnCloud) -> None:
    """Guards against a setting that cannot be changed even by whoever wants to."""
    cloud = prod.cloud
    _protect(prod, "addresses")
    prod.set({"cluster-egress:egress/firewall/network": "10.20.10.32/28"})
    prod.up().ok()
    [firewall] = cloud.firewall.firewalls.firewalls
    assert firewall.on
    assert prod.changes() == {}


@pytest.mark.proves("cloud", "addresses outlive their gateway")
def test_addresses_survive_another_gateway(prod: OnCloud) -> None:
    """Guards against a gateway in another zone that costs the addresses which partners have let in."""
    cloud = prod.cloud
    addresses = {each.address for each in cloud.vpc.eips.eips}
    _protect(prod, "addresses")
    prod.destroy("--exclude-protected").ok()
    assert cloud.left() == [each.id for each in cloud.vpc.eips.eips]
    prod.set({"cluster-egress:egress/addresses/zone": "cn-hangzhou-i"})
    prod.up().ok()
    assert {each.address for each in cloud.vpc.eips.eips} == addresses
    assert [each.vswitch.zone for each in cloud.vpc.nat.gateways] == ["cn-hangzhou-i"]
    assert prod.changes() == {}


def _protect(prod: OnCloud, what: str) -> None:
    prod.set({"cluster-egress:egress/addresses/protected": what})
    prod.up().ok()
