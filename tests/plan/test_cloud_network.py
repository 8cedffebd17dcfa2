"""The egress nodes' own network: which vSwitches there are, which leave by NAT, and what stays at a change."""

import pytest

from components.plan.cloud.network import NetworkPlan, Purpose
from tests.every_cloud_key import (
    ANSWERABLE,
    VARIANTS,
    flannel_values,
    host_network_values,
    pod_vswitches_values,
    terway_values,
)
from tests.plan.cloud_plans import cloud_of
from tests.support import Values, changed, dev_values, plan_of, setting

_NODES = ["nodes-cn-hangzhou-h", "nodes-cn-hangzhou-i"]
_PODS = ["pods-cn-hangzhou-h", "pods-cn-hangzhou-i"]
_FIREWALL = "firewall-cn-hangzhou-h-192-168-0-208-28"
_NAT = [_FIREWALL, "nat-cn-hangzhou-h"]


def _network(values: Values) -> NetworkPlan:
    return cloud_of(values).network


def _sends(values: Values) -> list[str]:
    nat = _network(values).nat
    assert nat is not None
    return [each.name for each in nat.sends]


@pytest.mark.parametrize(
    ("variant", "names"),
    [
        ("flannel", [*_NAT, *_NODES]),
        ("terway", [*_NAT, *_NODES, *_PODS]),
        ("pod-vswitches", [*_NODES, *_PODS]),
        ("host-network", _NODES),
    ],
)
def test_every_mode_has_its_vswitches(variant: str, names: list[str]) -> None:
    """A vSwitch was missing, or one was created that nobody uses."""
    assert [each.name for each in _network(VARIANTS[variant]()).vswitches] == names


def test_vswitches_have_the_declared_ranges_and_zones() -> None:
    """A vSwitch was created in another zone, or with another's range."""
    found = {each.name: (each.purpose, each.zone, each.cidr) for each in _network(terway_values()).vswitches}
    assert found == {
        "nodes-cn-hangzhou-h": (Purpose.NODES, "cn-hangzhou-h", "192.168.0.64/26"),
        "nodes-cn-hangzhou-i": (Purpose.NODES, "cn-hangzhou-i", "192.168.0.128/26"),
        "pods-cn-hangzhou-h": (Purpose.PODS, "cn-hangzhou-h", "10.244.8.0/24"),
        "pods-cn-hangzhou-i": (Purpose.PODS, "cn-hangzhou-i", "10.244.9.0/24"),
        "nat-cn-hangzhou-h": (Purpose.NAT_GATEWAY, "cn-hangzhou-h", "192.168.0.192/28"),
        _FIREWALL: (Purpose.FIREWALL, "cn-hangzhou-h", "192.168.0.208/28"),
    }


def test_the_gateway_s_and_the_firewall_s_vswitches_are_not_led_to_the_gateway() -> None:
    """The NAT gateway's own traffic was led back to it; or the firewall's, around itself."""
    tables = {
        table.purpose: [each.name for each in table.vswitches] for table in _network(terway_values()).route_tables
    }
    assert tables == {"egress": [*_NODES, *_PODS], "firewall": [_FIREWALL]}


def test_another_vendor_s_firewall_has_no_vswitch_of_ours() -> None:
    """A vSwitch and a route table were left over for a firewall that is somewhere else."""
    network = _network(changed(setting("egress.firewall", {"mode": "external"}), terway_values()))
    assert [table.name for table in network.route_tables] == ["egress"]
    assert "firewall-cn-hangzhou-h" not in [each.name for each in network.vswitches]


@pytest.mark.parametrize("values", [pod_vswitches_values(), host_network_values()], ids=["pods", "nodes"])
def test_without_a_nat_gateway_routes_stay_the_vpc_s(values: Values) -> None:
    """Networks connected to the VPC could not be reached any more, because a table of ours does not know them."""
    network = _network(values)
    assert (network.route_tables, network.nat, network.gateway_protected) == ((), None, False)


def test_with_flannel_the_nodes_send() -> None:
    """Pods with their node's address had no way out."""
    assert _sends(flannel_values()) == _NODES


def test_with_terway_only_the_gateways_pods_send() -> None:
    """Every node had a way out, although nothing on it is declared to leave."""
    assert _sends(terway_values()) == _PODS


def test_with_terway_nodes_send_where_they_fetch() -> None:
    """A declared registry was let through the firewall, and no node got as far."""
    values = terway_values()
    values["egress"]["nodes"]["fetches"] = {"registry": {"hosts": ["registry.example.net"], **ANSWERABLE}}
    assert _sends(values) == [*_NODES, *_PODS]


def test_with_terway_nodes_send_where_a_gateway_is_on_their_network() -> None:
    """A gateway with `hostNetwork` had no way out."""
    values = changed(setting("egress.mesh.flavour", "gateway-api"), terway_values())
    values["egress"]["mesh"]["gateways"] = {"quick": {"hostNetwork": True}}
    assert _sends(values) == [*_NODES, *_PODS]


def test_with_terway_no_pods_send_where_every_gateway_is_on_its_node_s_network() -> None:
    """Ranges in which nobody is had a way out."""
    values = changed(setting("egress.mesh.flavour", "gateway-api"), terway_values())
    values["egress"]["mesh"]["gateway"] = {"hostNetwork": True}
    values["install"]["gatewayApi"] = "standard"
    del values["backends"]
    assert _sends(values) == _NODES


def test_backends_alone_make_pods_send() -> None:
    """Where every egress gateway is on its node's network, the proxies of backends had no way out."""
    values = changed(setting("egress.mesh.flavour", "gateway-api"), terway_values())
    values["egress"]["mesh"]["gateway"] = {"hostNetwork": True}
    assert _sends(values) == [*_NODES, *_PODS]


def test_a_number_of_addresses_keeps_the_ones_that_stay() -> None:
    """Partners let in addresses that were given back when one more was ordered, or one less."""
    three = cloud_of(flannel_values()).network.nat
    two = cloud_of(changed(setting("egress.addresses.count", 2), flannel_values())).network.nat
    assert three is not None
    assert two is not None
    assert three.eips == (*two.eips, "eip-3")


def test_a_new_zone_changes_no_other() -> None:
    """A third zone renamed the vSwitches of the first two, and so replaced them."""
    before = _network(terway_values()).vswitches
    values = terway_values()
    values["egress"]["nodes"]["zones"]["cn-hangzhou-b"] = {"nodes": "192.168.0.224/27", "pods": "10.244.10.0/24"}
    after = _network(values).vswitches
    assert set(before) < set(after)


def test_what_is_declared_of_addresses_arrives() -> None:
    """Bandwidth or protection was another than declared."""
    network = _network(flannel_values())
    assert network.nat is not None
    assert (network.nat.bandwidth, network.nat.shared_bandwidth) == (100, True)
    assert (network.addresses_protected, network.gateway_protected) == (True, False)
    for protected, found in {"all": (True, True), "nothing": (False, False)}.items():
        values = terway_values()
        values["egress"]["addresses"]["protected"] = protected
        network = _network(values)
        assert (network.addresses_protected, network.gateway_protected) == found
    assert _network(terway_values()).gateway_protected


def test_stacks_that_create_nothing_have_no_plan_of_it() -> None:
    """A stack whose nodes and addresses exist got others beside them."""
    assert plan_of(dev_values()).cloud is None


def test_nodes_may_be_created_for_addresses_that_are_there() -> None:
    """Nodes were created only together with a NAT gateway."""
    values = flannel_values()
    values["egress"]["addresses"] = {"mode": "existing", "cidrs": ["203.0.113.10/32"]}
    del values["egress"]["firewall"]
    plan = cloud_of(values)
    assert plan.network.nat is None
    assert [each.name for each in plan.nodes.vswitches] == _NODES
