"""One of each resource, with the real plugin: otherwise the stand-in might be one that no plugin understands."""

import pytest

from tests.engine.alibaba.on_cloud import OnCloud

pytestmark = pytest.mark.engine


def test_one_of_each_from_up_to_destroy(gateway: OnCloud) -> None:
    """Guards against answers that the plugin reads as drift, or not at all; every call of a life is done."""
    cloud = gateway.cloud
    gateway.up().ok()
    assert gateway.changes() == {}
    assert gateway.drift() == {}
    cloud.calls.clear()
    hosts = ["a.example.com", "c.example.com"]
    gateway.set({"stand-in:revision": "2", "stand-in:action": "drop", "stand-in:hosts": hosts})
    gateway.up().ok()
    assert {"ModifyNatGatewayAttribute", "ModifySnatEntry", "ModifyClusterNodePool"} <= {*cloud.calls.written()}
    assert [each.said["AclAction"] for each in cloud.firewall.nat_policies] == ["accept", "accept", "drop"]
    assert cloud.firewall.books.named("ce-hosts").entries == ["a.example.com", "c.example.com"]
    assert gateway.changes() == {}
    gateway.destroy().ok()
    assert cloud.left() == []
    assert cloud.calls.refused() == []


def test_faults_that_pass(gateway: OnCloud) -> None:
    """Guards against an `up` that gives up where the cloud is only slow: too many calls, or what is found late."""
    cloud = gateway.cloud
    for action in ("CreateVSwitch", "CreateNatGateway", "AddAddressBook", "CreateNatFirewallControlPolicy"):
        cloud.faults.throttle(action, times=1)
    cloud.firewall.firewalls.unknown_reads = 1
    vpc = cloud.vpc
    for shelf in (vpc.networks.vswitches, vpc.routing.tables, vpc.nat.gateways, vpc.nat.snat_entries, vpc.eips.eips):
        shelf.hidden_reads = 1
    gateway.up().ok()
    assert {
        "CreateVSwitch Throttling.User",
        "CreateNatGateway Throttling.User",
        "AddAddressBook Throttling.User",
        "CreateNatFirewallControlPolicy Throttling.User",
        "CreateSecurityProxy -360838",
    } == {*cloud.calls.refused()}
    assert gateway.changes() == {}
