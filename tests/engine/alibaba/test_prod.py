"""The stack `prod` on the cloud: its first `up`, and the changes that are made every day."""

import pytest

from tests.engine.alibaba.calls import Call
from tests.engine.alibaba.conftest import SECONDS
from tests.engine.alibaba.on_cloud import OnCloud
from tests.engine.alibaba.rights import not_granted

pytestmark = pytest.mark.engine

_WEATHER = {
    "hosts": ["api.weather.example.com"],
    "ports": {"https": {"port": 443, "protocol": "TLS"}},
    "cidrs": ["20.60.11.0/28"],
    "clients": {"catalog": {"serviceAccounts": ["prices"]}},
    "owner": "team-catalog",
    "ticket": "FW-3999",
    "expires": "2029-12-31",
}

_RULES = {"AuthorizeSecurityGroupEgress", "RevokeSecurityGroupEgress"}


@pytest.mark.proves("cloud", "a cold `enforce` drops what is not declared before there are nodes, and that is in force")
def test_cold_enforce_is_closed_before_there_is_anybody(first_prod: OnCloud) -> None:
    """Guards against nodes that can send before the last policy drops what they send, and is in force."""
    cloud = first_prod.cloud
    order = ("AssociateEipAddress", "CreateSnatEntry", "CreateSecurityProxy", "SwitchSecurityProxy")
    order = (*order, "CreateNatFirewallControlPolicy", "CreateClusterNodePool")
    calls = cloud.calls.of(*order)
    assert [each.action for each in calls] == sorted((each.action for each in calls), key=order.index)
    policies = cloud.calls.of("CreateNatFirewallControlPolicy")
    assert [each.parameters["AclAction"] for each in policies] == [*(["accept"] * (len(policies) - 1)), "drop"]
    assert [int(each.parameters["NewOrder"]) for each in policies] == [*range(1, len(policies) + 1)]
    pool = cloud.calls.of("CreateClusterNodePool")[0]
    assert pool.at - policies[-1].at >= SECONDS
    assert _of_name(cloud.calls.of("CreateSecurityProxy"), "StrictMode") == ["1"]
    assert _of_name(cloud.calls.of("SwitchSecurityProxy"), "Switch") == ["open"]
    assert cloud.calls.refused() == []
    assert not_granted(cloud) == set()


@pytest.mark.proves("cloud", "a second run has nothing to do, with and without a refresh")
def test_second_run_has_nothing_to_do(prod: OnCloud) -> None:
    """Guards against a stack that changes in every run, or that the firewall itself makes drift."""
    assert prod.changes() == {}
    assert prod.drift() == {}
    prod.up("--refresh").ok()
    assert prod.cloud.calls.written() == []
    assert not_granted(prod.cloud) == set()


@pytest.mark.proves("cloud", "a further host changes one address book and no order")
def test_further_destination_changes_one_book(prod: OnCloud) -> None:
    """Guards against a new destination that touches a policy or an order; its ranges are let out of the pods."""
    prod.set({"cluster-egress:destinations/weather": _WEATHER})
    prod.up().ok()
    assert sorted(prod.cloud.calls.written()) == ["AuthorizeSecurityGroupEgress", "ModifyAddressBook"]
    [changed] = prod.cloud.calls.of("ModifyAddressBook")
    assert "api.weather.example.com" in changed.parameters["AddressList"].split(",")


@pytest.mark.proves("cloud", "between `observe` and `enforce` the same last policy changes, in place")
def test_posture_changes_one_policy_in_place(prod: OnCloud) -> None:
    """Guards against a promotion that replaces the last policy, or touches more than that and the pods' rules."""
    for posture, action in (("observe", "log"), ("enforce", "drop")):
        prod.cloud.calls.clear()
        prod.set({"cluster-egress:egress/posture": posture})
        prod.up().ok()
        assert {*prod.cloud.calls.written()} <= {"ModifyNatFirewallControlPolicy", *_RULES}
        [changed] = prod.cloud.calls.of("ModifyNatFirewallControlPolicy")
        assert changed.parameters["AclAction"] == action
        assert changed.parameters["Proto"] == "ANY"


def _of_name(calls: list[Call], name: str) -> list[str]:
    return [each.parameters[name] for each in calls]
