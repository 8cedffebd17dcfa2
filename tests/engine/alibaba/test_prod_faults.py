"""The stack `prod` on a cloud that fails: what is half done is closed, and the next run finishes it."""

import pytest

from tests.engine.alibaba.api import Refused
from tests.engine.alibaba.cloud import AlibabaCloud
from tests.engine.alibaba.on_cloud import OnCloud

pytestmark = pytest.mark.engine

_FAILED = Refused("ErrorDBInsert", "An error occurred while performing an insert operation in the database.")
"""CreateNatFirewallControlPolicy, "Error codes"; nobody tries again."""
_LEDGER = {
    "hosts": ["ledger.bank.example.org"],
    "ports": {"binary": {"port": 7443, "protocol": "TCP"}},
    "addresses": ["20.60.6.40"],
    "clients": {"finance": {"serviceAccounts": ["statements"]}},
    "owner": "team-finance",
    "ticket": "FW-3998",
    "expires": "2029-12-31",
}


@pytest.mark.proves("cloud", "a run that fails half-way leaves no nodes; the next one finishes")
def test_failure_half_way_of_the_first_up(new_prod: OnCloud) -> None:
    """Guards against nodes behind half an allowlist, and a next run that cannot go on where this one stopped.

    On the way, calls come too fast, the firewall does not know the gateway yet, and one answer is lost: the policy is
    there and made again. The one too many comes to stand behind the last policy, where it lets nothing pass.
    """
    cloud = new_prod.cloud
    for action in ("CreateVSwitch", "CreateSnatEntry", "AddAddressBook", "AuthorizeSecurityGroupEgress"):
        cloud.faults.throttle(action, times=2)
    cloud.firewall.firewalls.unknown_reads = 1
    cloud.vpc.nat.gateways.hidden_reads = 1
    cloud.faults.lose_answer("CreateNatFirewallControlPolicy", after=1)
    cloud.faults.fail("CreateNatFirewallControlPolicy", _FAILED, after=4)
    new_prod.up().failed()
    assert len(cloud.cs.pools) == 0
    assert not _is_closed(cloud)
    new_prod.up().ok()
    assert _actions(cloud)[-2:] == ["drop", "accept"]
    assert len(cloud.cs.pools) == 1
    assert cloud.calls.written().index("CreateClusterNodePool") > _last(cloud, "CreateNatFirewallControlPolicy")
    assert new_prod.changes() == {}


@pytest.mark.proves(
    "cloud", "a change that fails half-way leaves the last policy, and so does a policy that comes or goes"
)
def test_failure_half_way_of_a_change(prod: OnCloud) -> None:
    """Guards against a moment without the last policy while policies come, move and go in front of it."""
    cloud = prod.cloud
    seen: list[bool] = []
    cloud.watchers.append(lambda: seen.append(_is_closed(cloud)))
    before = _descriptions(cloud)
    prod.set({"cluster-egress:destinations/bank-ledger": _LEDGER})
    cloud.faults.fail("CreateNatFirewallControlPolicy", _FAILED)
    prod.up().failed()
    assert _descriptions(cloud) == before
    prod.up().ok()
    added = [each for each in _descriptions(cloud) if each not in before]
    assert len(added) == 1
    assert prod.changes() == {}
    prod.remove("cluster-egress:destinations/bank-ledger")
    prod.up().ok()
    assert _descriptions(cloud) == before
    assert seen
    assert all(seen)


def _policies(cloud: AlibabaCloud) -> list[tuple[str, str, str]]:
    return [
        (each.said["Description"], each.said["AclAction"], each.said["Proto"]) for each in cloud.firewall.nat_policies
    ]


def _descriptions(cloud: AlibabaCloud) -> list[str]:
    return [each for each, _, _ in _policies(cloud)]


def _actions(cloud: AlibabaCloud) -> list[str]:
    return [each for _, each, _ in _policies(cloud)]


def _is_closed(cloud: AlibabaCloud) -> bool:
    """Whether what no policy names is dropped."""
    return any(action == "drop" and protocol == "ANY" for _, action, protocol in _policies(cloud))


def _last(cloud: AlibabaCloud, action: str) -> int:
    written = cloud.calls.written()
    return max(number for number, each in enumerate(written) if each == action)
