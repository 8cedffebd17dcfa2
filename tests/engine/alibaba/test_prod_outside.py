"""The stack `prod`, and somebody at the console: what a refresh shows of it, and what the next run sets right."""

import pytest

from tests.engine.alibaba.cloud import AlibabaCloud
from tests.engine.alibaba.cloudfw.policies import Policy, PolicyList
from tests.engine.alibaba.on_cloud import OnCloud

pytestmark = pytest.mark.engine


@pytest.mark.proves(
    "cloud", "a policy deleted, a book edited and a firewall switched off by hand are seen, and set right"
)
def test_rule_deleted_book_edited_and_firewall_off(prod: OnCloud) -> None:
    """Guards against an allowlist with holes, a host that nobody declared, and a firewall that is off, all unseen."""
    cloud = prod.cloud
    policies, before = _policies(cloud), _said(cloud)
    gone = policies.policies.pop(0)
    book = cloud.firewall.books.named(policies.policies[0].said["Destination"])
    book.entries.append("20.66.6.6/32" if book.kind == "ip" else "evil.example.com")
    [firewall] = cloud.firewall.firewalls.firewalls
    cloud.firewall.firewalls.switch(firewall, on=False)
    drift = prod.drift()
    assert drift.pop(f"NatFirewallControlPolicy::{gone.said['Destination']}") == "delete"
    assert drift.pop(f"AddressBook::{book.name}") == "update"
    assert drift.pop("NatFirewall::firewall") == "update"
    assert {*drift.values()} == {"update"}  # those that have moved up
    prod.up("--refresh").ok()
    assert _said(cloud) == before
    assert not any("evil" in each or "20.66" in each for each in book.entries)
    assert firewall.on
    assert prod.changes() == {}


@pytest.mark.proves("cloud", "an order changed by hand is seen, and set right")
def test_order_changed_and_a_stranger_in_front(prod: OnCloud) -> None:
    """Guards against an order that is not ours any more: closed for all, and open for one that nobody declared.

    What is not ours stays, behind the last policy, where it lets nothing pass.
    """
    cloud = prod.cloud
    policies, before = _policies(cloud), _said(cloud)
    policies.policies.insert(0, policies.policies.pop())
    stranger = Policy(
        id="acl-stranger", said={**policies.policies[1].said, "Description": "stranger"}, applications=["ANY"]
    )
    policies.policies.insert(0, stranger)
    drift = prod.drift()
    assert {*drift.values()} == {"update"}
    assert len(drift) == len(before)
    prod.up("--refresh").ok()
    assert _said(cloud) == [*before, "stranger"]
    assert prod.changes() == {}


def _policies(cloud: AlibabaCloud) -> PolicyList:
    [gateway] = cloud.vpc.nat.gateways
    return cloud.firewall.nat_policies.of(gateway.id)


def _said(cloud: AlibabaCloud) -> list[str]:
    return [each.said["Description"] for each in _policies(cloud).policies]
