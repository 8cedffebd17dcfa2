"""The addresses that the outside sees: in which order they come, and what keeps them."""

import pytest

from cli.offline.preview import preview
from cli.offline.records import UNKNOWN
from tests.components.clouds import stack
from tests.golden.render import project_of


def test_snat_comes_once_every_address_is_on_the_gateway() -> None:
    """An entry was made for addresses that the gateway did not have yet, and the API refused it."""
    prod = stack("prod")
    addresses, entries = prod.of("EipAddress"), prod.of("SnatEntry")
    assert len(addresses) == 2
    assert sorted(each.name for each in entries) == ["pods-cn-hangzhou-h", "pods-cn-hangzhou-i"]
    for entry in entries:
        assert {*entry.property_dependencies["snatIp"]} == {each.urn for each in addresses}
        assert all(prod.is_after(entry, each) for each in prod.of("EipAssociation"))


def test_snat_comes_once_every_address_is_in_the_package() -> None:
    """The API refused an entry of two addresses, of which one was in the bandwidth package already."""
    flannel = stack("flannel")
    shared = flannel.of("CommonBandwithPackageAttachment")
    assert len(shared) == 3
    for entry in flannel.of("SnatEntry"):
        assert all(flannel.is_after(entry, each) for each in shared)


@pytest.mark.parametrize("name", ["prod", "flannel"])
def test_snat_entries_come_one_after_the_other(name: str) -> None:
    """Two entries were written at once at one gateway, and the API refused the second (CreateSnatEntry)."""
    registered = stack(name)
    first, second = sorted(registered.of("SnatEntry"), key=lambda each: each.name)
    assert registered.is_after(second, first)


@pytest.mark.parametrize("name", ["prod", "flannel"])
def test_a_vswitch_has_snat_only_while_it_uses_the_table_that_the_firewall_watches(name: str) -> None:
    """A vSwitch that went left by the VPC's own table for a moment: no firewall takes that route over."""
    registered = stack(name)
    for entry in registered.of("SnatEntry"):
        assert registered.is_after(entry, registered.one("RouteTableAttachment", entry.name))
    for each in registered.of("RouteTableAttachment"):
        assert not each.delete_before_replace


def test_each_vswitch_that_sends_has_one_entry() -> None:
    """Nodes that fetch had no way out, or nodes that do not had one."""
    sends = [next(iter(each.property_dependencies["sourceVswitchId"])) for each in stack("flannel").of("SnatEntry")]
    assert sorted(urn.rpartition("::")[2] for urn in sends) == ["nodes-ap-southeast-1a", "nodes-ap-southeast-1b"]


@pytest.mark.parametrize("kind", ["EipAddress", "NatGateway", "NatFirewall"])
def test_what_partners_know_is_protected(kind: str) -> None:
    """An address that partners have let in was lost by one wrong word in the stack file."""
    assert [each.protect for each in stack("prod").of(kind)] == [True] * len(stack("prod").of(kind))
    assert not any(each.protect for each in stack("flannel").of(kind))


@pytest.mark.parametrize("kind", ["NatGateway", "NatFirewall"])
def test_what_cannot_move_is_not_moved(kind: str) -> None:
    """The range of a vSwitch was changed; the provider said that it was done, and the firewall stood where it was."""
    (registered,) = stack("prod").of(kind)
    assert registered.replace_on_changes == ("vswitchId",)
    assert registered.property_dependencies["vswitchId"]


@pytest.mark.parametrize("kind", ["EipAddress", "NatGateway"])
def test_it_is_protected_at_the_cloud_too(kind: str) -> None:
    """Somebody deleted the address in the console."""
    assert all(each.inputs["deletionProtection"] is True for each in stack("prod").of(kind))
    assert all(each.inputs["deletionProtection"] is False for each in stack("flannel").of(kind))


def test_the_way_out_stays_where_the_firewall_points_it() -> None:
    """A second `up` pointed the route back to the NAT gateway, past the firewall."""
    prod = stack("prod")
    assert not prod.of("RouteEntry")
    (route,) = prod.of("VPCRouteEntry")
    assert route.inputs["destinationCidrBlock"] == "0.0.0.0/0"
    assert {*route.ignore_changes} == {"nexthopId", "nexthopType", "nextHops"}


def test_the_way_out_is_for_nodes_and_pods_alone() -> None:
    """The NAT gateway's own vSwitch was led to itself, or the firewall's had a default route and was refused."""
    prod = stack("prod")
    out = prod.one("RouteTable", "egress").urn
    attached = [
        each.name for each in prod.of("RouteTableAttachment") if out in each.property_dependencies["routeTableId"]
    ]
    assert sorted(attached) == [f"{kind}-cn-hangzhou-{zone}" for kind in ("nodes", "pods") for zone in "hi"]
    (route,) = prod.of("VPCRouteEntry")
    assert route.property_dependencies["routeTableId"] == (out,)


def test_without_a_gateway_of_our_own_routes_are_the_vpcs() -> None:
    """Connected networks were out of reach, because the table of our own did not know them."""
    for name in ("pods", "host-network"):
        assert not [*stack(name).of("RouteTable"), *stack(name).of("NatGateway"), *stack(name).of("EipAddress")]
        assert stack(name).of("Switch")


def test_shared_bandwidth_is_for_every_address() -> None:
    """One address kept a bandwidth of its own, and was paid twice; or asked for more than an address may have."""
    flannel = stack("flannel")
    (package,) = flannel.of("CommonBandwithPackage")
    assert package.inputs["bandwidth"] == "500"
    shared = [each.property_dependencies for each in flannel.of("CommonBandwithPackageAttachment")]
    assert [each["instanceId"] for each in shared] == [(each.urn,) for each in flannel.of("EipAddress")]
    assert {each["bandwidthPackageId"] for each in shared} == {(package.urn,)}
    assert {each.inputs["bandwidth"] for each in flannel.of("EipAddress")} == {"200"}


@pytest.mark.parametrize("kind", ["EipAssociation", "CommonBandwithPackageAttachment", "NatFirewall"])
def test_what_there_can_be_one_of_goes_before_the_next_comes(kind: str) -> None:
    """A replacement was created beside the old one, and the API refused the second."""
    assert stack("flannel").of(kind)
    assert all(each.delete_before_replace for each in stack("flannel").of(kind))


def test_the_hand_off_has_the_addresses_once_they_are_known() -> None:
    """Firewall teams were handed `null`, or the ranges behind the gateway that nobody outside sees."""
    with project_of("prod") as project:
        outputs = preview(project, "prod", with_policy=False).outputs
    connected = ["10.20.9.0/25", "10.20.9.128/25"]
    assert outputs["handoff"]["sources"] == {"mode": "nat", "cidrs": UNKNOWN, "connected": connected}
    assert {each["cidrs"] for each in outputs["handoff"]["backendGateways"]} == {UNKNOWN}


@pytest.mark.parametrize(
    ("name", "mode", "cidrs"),
    [
        ("pods", "pod-vswitches", ["10.40.9.0/25", "10.40.9.128/25"]),
        ("host-network", "host-network", ["10.50.8.0/26", "10.50.8.64/26"]),
        ("dev", "existing", ["203.0.113.10/32", "203.0.113.11/32"]),
    ],
)
def test_the_hand_off_has_the_ranges_that_networks_see(name: str, mode: str, cidrs: list[str]) -> None:
    """Firewall teams let in ranges from which nothing comes."""
    with project_of(name) as project:
        outputs = preview(project, name, with_policy=False).outputs
    assert outputs["handoff"]["sources"] == {"mode": mode, "cidrs": cidrs}
