"""The firewall's allowlist: strict before anything could send, one policy after the other."""

import itertools
from pathlib import Path
from typing import Any

from tests.components.clouds import Registered, changed_prod, stack


def test_it_is_strict_from_its_creation() -> None:
    """Traffic that was not recognised yet passed, and a stricter firewall would have been another one."""
    (firewall,) = stack("prod").of("NatFirewall")
    assert firewall.inputs["strictMode"] == 1
    assert firewall.inputs["status"] == "normal"
    assert {*firewall.custom_timeouts.values()} == {"60m"}


def test_it_stands_in_a_network_of_its_own() -> None:
    """The API refused a vSwitch with other routes; or the firewall made one that nobody manages."""
    prod = stack("prod")
    (firewall,) = prod.of("NatFirewall")
    name = "firewall-cn-hangzhou-h-10-20-10-16-28"
    own, table = prod.one("Switch", name), prod.one("RouteTable", name)
    assert firewall.inputs["vswitchAuto"] == "false"
    assert firewall.property_dependencies["vswitchId"] == (own.urn,)
    (attached,) = [each for each in prod.of("RouteTableAttachment") if table.urn in each.dependencies]
    assert attached.property_dependencies["vswitchId"] == (own.urn,)
    assert prod.is_after(firewall, attached)
    assert not [each for each in prod.of("VPCRouteEntry") if table.urn in each.dependencies]


def test_it_comes_once_the_gateway_sends() -> None:
    """The firewall was created for a gateway without SNAT, address or route, and the API refused it."""
    prod = stack("prod")
    (firewall,) = prod.of("NatFirewall")
    for kind in ("SnatEntry", "EipAssociation", "VPCRouteEntry", "RouteTableAttachment"):
        assert all(prod.is_after(firewall, each) for each in prod.of(kind)), kind


def test_it_takes_over_the_one_route_out() -> None:
    """A route that is not in the list goes past the firewall."""
    prod = stack("prod")
    (firewall,) = prod.of("NatFirewall")
    (listed,) = firewall.inputs["natRouteEntryLists"]
    assert listed["destinationCidr"] == "0.0.0.0/0"
    assert listed["nexthopType"] == "NatGateway"
    (gateway,) = prod.of("NatGateway")
    table = prod.one("RouteTable", "egress")
    assert {*firewall.property_dependencies["natRouteEntryLists"]} == {gateway.urn, table.urn}


def test_policies_come_one_after_the_other_and_the_last_is_for_all() -> None:
    """Two came at once and took each other's place; or something was dropped that was not let pass yet."""
    prod = stack("prod")
    policies = sorted(prod.of("NatFirewallControlPolicy"), key=lambda each: int(each.inputs["newOrder"]))
    assert [each.inputs["newOrder"] for each in policies] == [f"{n + 1}" for n in range(len(policies))]
    assert [each.inputs["aclAction"] for each in policies] == [*["accept"] * (len(policies) - 1), "drop"]
    (firewall,) = prod.of("NatFirewall")
    for earlier, later in zip((firewall, *policies), policies, strict=False):
        assert prod.is_after(later, earlier), later.name
    last = policies[-1].inputs
    assert (last["source"], last["destination"], last["proto"], last["destPort"]) == (
        "0.0.0.0/0",
        "0.0.0.0/0",
        "ANY",
        "0/0",
    )


def test_a_book_comes_after_the_policy_before_its_own() -> None:
    """A book that was split shrank before what moved was let pass elsewhere."""
    prod = stack("prod")
    policies = sorted(prod.of("NatFirewallControlPolicy"), key=lambda each: int(each.inputs["newOrder"]))
    for earlier, policy in itertools.pairwise(policies[:-1]):
        (book,) = policy.property_dependencies["destination"]
        assert earlier.urn in prod.before(next(each for each in prod.all if each.urn == book)), policy.name


def test_books_are_named_and_not_repeated() -> None:
    """A policy with a list of its own was not changed by a further host."""
    prod = stack("prod")
    books = {each.urn: each for each in prod.of("AddressBook")}
    for policy in prod.of("NatFirewallControlPolicy"):
        if policy.inputs["aclAction"] == "accept":
            for end in ("source", "destination"):
                (urn,) = policy.property_dependencies[end]
                assert policy.inputs[end] == books[urn].inputs["groupName"]
                assert policy.inputs[f"{end}Type"] == "group"


def test_nodes_wait_until_the_last_policy_is_in_force() -> None:
    """The first nodes of a cold `enforce` could send before anything was dropped."""
    for name in ("prod", "flannel"):
        registered = stack(name)
        (waited,) = registered.of("FirewallPropagation")
        assert all(registered.is_after(waited, each) for each in registered.of("NatFirewallControlPolicy"))
        assert all(registered.is_after(waited, each) for each in registered.of("ControlPolicyOrder"))
        (pool,) = registered.of("NodePool")
        assert registered.is_after(pool, waited)


def test_enforcing_changes_the_last_policy_in_place(project: Path) -> None:
    """Promoting from `observe` made another last policy, and for a moment there were two, or none."""

    def observe(config: dict[str, Any]) -> None:
        config["cluster-egress:egress"]["posture"] = "observe"

    before, after = _policies(changed_prod(project, observe)), _policies(stack("prod"))
    assert {*before} == {*after}
    changed = {urn for urn, inputs in after.items() if inputs != before[urn]}
    assert [urn.rpartition("::")[2] for urn in changed] == ["ce-prod-everything-else"]
    (urn,) = changed
    assert before[urn] | {"aclAction": "drop"} == after[urn]
    assert before[urn]["aclAction"] == "log"


def test_a_further_host_changes_one_book(project: Path) -> None:
    """A host more moved the order of policies that it has nothing to do with."""

    def add(config: dict[str, Any]) -> None:
        config["cluster-egress:destinations"]["tax-office"]["hosts"].append("archive.tax.example.org")

    before = {each.urn: each.inputs for each in stack("prod").all if "CloudFirewallAllowlist$" in each.urn}
    after = {each.urn: each.inputs for each in changed_prod(project, add).all if each.urn in before}
    changed = {urn for urn, inputs in after.items() if inputs != before[urn]}
    assert sorted(urn.rpartition("::")[2] for urn in changed) == ["ce-prod-pods-tls-names-443-0", "firewall"]
    assert {urn.rpartition("::")[0].rpartition(":")[2] for urn in changed} == {"AddressBook", "FirewallPropagation"}


def test_the_internet_boundary_speaks_of_our_addresses_alone() -> None:
    """The last policy dropped what others of the account sent."""
    flannel = stack("flannel")
    policies, orders = flannel.of("ControlPolicy"), flannel.of("ControlPolicyOrder")
    assert [each.inputs["aclAction"] for each in policies] == [*["accept"] * 3, "log"]
    ours = flannel.one("AddressBook", "ce-flannel-from-eips")
    assert {*ours.property_dependencies["addressLists"]} == {each.urn for each in flannel.of("EipAddress")}
    for policy in policies:
        assert (policy.inputs["sourceType"], policy.inputs["source"]) == ("group", "ce-flannel-from-eips")
    assert [each.inputs["order"] for each in orders] == [1, 2, 3, 4]
    for placed, later in zip(orders, policies[1:], strict=False):
        assert flannel.is_after(later, placed)


def test_both_boundaries_say_the_same_in_their_own_words() -> None:
    """One boundary's `DomainResolveType` is a number, the other's a word; the wrong one is taken for no mode at all."""
    flannel = stack("flannel")
    words = {0: "FQDN", 1: "DNS", None: None}
    at_nat = {each.name: each.inputs for each in flannel.of("NatFirewallControlPolicy")}
    at_internet = {each.name: each.inputs for each in flannel.of("ControlPolicy")}
    assert {*at_nat} == {*at_internet}
    for name, inputs in at_nat.items():
        other = at_internet[name]
        assert words[inputs.get("domainResolveType")] == other.get("domainResolveType"), name
        for key in ("aclAction", "destination", "destinationType", "destPort", "proto", "applicationNameLists"):
            assert inputs[key] == other[key], (name, key)


def test_another_vendors_firewall_is_left_alone(project: Path) -> None:
    """Something of Cloud Firewall was created beside the firewall that is there; or the addresses were gone with it."""

    def external(config: dict[str, Any]) -> None:
        config["cluster-egress:egress"]["firewall"] = {"mode": "external"}

    registered = changed_prod(project, external)
    kinds = ("NatFirewall", "AddressBook", "NatFirewallControlPolicy", "FirewallPropagation", "pulumi-python")
    assert not [each for kind in kinds for each in registered.of(kind)]
    assert len(registered.of("EipAddress")) == 2
    (pool,) = registered.of("NodePool")
    assert all(registered.is_after(pool, each) for each in registered.of("SnatEntry"))


def _policies(registered: Registered) -> dict[str, dict[str, Any]]:
    return {each.urn: dict(each.inputs) for each in registered.of("NatFirewallControlPolicy")}
