"""The stack `prod` with the same allowlist at the internet boundary as well."""

import pytest

from tests.engine.alibaba.on_cloud import OnCloud
from tests.engine.alibaba.rights import not_granted

pytestmark = pytest.mark.engine


@pytest.mark.proves("cloud", "the same allowlist at the internet boundary comes, is enforced in place, and goes")
def test_internet_boundary_comes_and_is_enforced_in_place(prod: OnCloud) -> None:
    """Guards against an order at that boundary that changes in every run, and a promotion that replaces its end."""
    cloud = prod.cloud
    prod.set({"cluster-egress:egress/posture": "observe"})
    prod.set({"cluster-egress:egress/firewall/internetBoundary": True})
    prod.set({"cluster-egress:cloud/limits/internetPolicies": 10000})
    prod.up().ok()
    actions = [each.said["AclAction"] for each in cloud.firewall.internet_policies]
    assert actions == [*["accept"] * (len(actions) - 1), "log"]
    assert prod.changes() == {}
    cloud.calls.clear()
    prod.set({"cluster-egress:egress/posture": "enforce"})
    prod.up().ok()
    assert [each.said["AclAction"] for each in cloud.firewall.internet_policies] == [*actions[:-1], "drop"]
    assert not [each for each in cloud.calls.written() if each.startswith(("Add", "Delete"))]
    assert prod.changes() == {}
    assert not_granted(cloud) == set()
    prod.remove("cluster-egress:egress/firewall/internetBoundary")
    prod.up().ok()
    assert [*cloud.firewall.internet_policies] == []
    assert prod.changes() == {}
