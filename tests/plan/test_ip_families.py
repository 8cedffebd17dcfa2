"""IPv4, IPv6, or both: what the mesh is told, and which addresses are open."""

import ipaddress
from typing import Any

import pytest

from components.plan import Plan
from tests.declarations import answerable, base
from tests.plan.projections import blocks
from tests.support import istio_of, of_kind, plan_of

_BOTH = ["IPv4", "IPv6"]


def _plan(families: list[str], **entry: Any) -> Plan:
    destination = {
        "hosts": ["a.example.org"],
        "ports": {"https": {"port": 443, "protocol": "TLS"}},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **answerable(),
        **entry,
    }
    values = base(["news"], {"a": destination})
    values["cluster"]["ipFamilies"] = families
    return plan_of(values)


@pytest.mark.pinned("network", "public addresses of IPv6, less what is not public", "the bed has IPv4 only")
@pytest.mark.parametrize(
    ("families", "opened"),
    [(["IPv4"], {"0.0.0.0/0"}), (["IPv6"], {"::/0"}), (_BOTH, {"0.0.0.0/0", "::/0"})],
    ids=["IPv4", "IPv6", "both"],
)
def test_public_addresses_are_those_of_the_cluster_s_families(families: list[str], opened: set[str]) -> None:
    """A cluster of IPv6 pods reached nothing, or one of IPv4 pods had all of IPv6 open as well."""
    gateway, *_ = _plan(families).gateway_policies
    assert {cidr for cidr, port in blocks(gateway) if port == 443} == opened


def test_what_is_not_public_stays_shut_in_ipv6() -> None:
    """Any address of IPv6 also meant link-local and unique local ones, and IPv4 in disguise."""
    gateway, *_ = _plan(["IPv6"]).gateway_policies
    peers = [peer["ipBlock"] for rule in gateway.spec["egress"] for peer in rule["to"] if "ipBlock" in peer]
    (block,) = [peer for peer in peers if "except" in peer]
    excepted = [ipaddress.IPv6Network(each) for each in block["except"]]
    for address, shut in (
        ("fe80::1", True),
        ("fd00:ec2::254", True),
        ("ff02::1", True),
        ("::1", True),
        ("::ffff:10.0.0.1", True),
        ("64:ff9b::a9fe:a9fe", True),
        ("2606:4700::40", False),
        ("2a04:4e42::1", False),
    ):
        assert any(ipaddress.IPv6Address(address) in network for network in excepted) is shut, address


@pytest.mark.pinned("mesh", "dual stack", "the bed has IPv4 only")
@pytest.mark.parametrize(("families", "both"), [(["IPv4"], False), (["IPv6"], False), (_BOTH, True)])
def test_the_mesh_knows_of_two_families(families: list[str], both: bool) -> None:
    """Proxies listened in one family only, and clients of the other went nowhere."""
    plan = _plan(families)
    values, (gateway,) = istio_of(plan).istiod.values, plan.egress_gateway.releases
    assert (values.get("env") == {"ISTIO_DUAL_STACK": "true"}) is both
    assert (values["meshConfig"].get("defaultConfig") == {"proxyMetadata": {"ISTIO_DUAL_STACK": "true"}}) is both
    assert (gateway.values["service"].get("ipFamilyPolicy") == "PreferDualStack") is both


def test_fixed_addresses_may_be_of_either_family() -> None:
    """A host's second address was left out, or its NetworkPolicy shut."""
    plan = _plan(_BOTH, addresses=["93.184.216.40", "2606:4700::40"])
    (entry,) = of_kind(plan.egress_gateway, "ServiceEntry")
    assert entry.spec["endpoints"] == [{"address": "93.184.216.40"}, {"address": "2606:4700::40"}]
    gateway, *_ = plan.gateway_policies
    assert {("93.184.216.40/32", 443), ("2606:4700::40/128", 443)} <= blocks(gateway)
