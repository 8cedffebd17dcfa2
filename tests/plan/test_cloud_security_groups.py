"""Security groups of nodes and pods: who reaches them, and what they reach, judged as the cloud judges it."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest

from components.plan.cloud.planning import plan_cloud
from components.plan.cloud.security_groups import SecurityGroupRule
from components.plan.objects import KubeObject
from tests.every_cloud_key import ANSWERABLE, VARIANTS, flannel_values, on_cloud, terway_values
from tests.plan.cloud_plans import cloud_of, decides, group_of
from tests.support import (
    Values,
    changed,
    cluster_ranges,
    dev_values,
    just_enough,
    of_kind,
    plan_of,
    setting,
    settings_of,
)

_GROUPS = [("flannel", "nodes"), ("terway", "pods"), ("pod-vswitches", "pods"), ("host-network", "nodes")]
"""The group of whoever sends, in every mode."""
_STRANGER, _NEIGHBOURS = "198.18.0.9", ("10.9.9.9", "172.20.1.1", "192.168.7.7", "169.254.169.254")


def _with(values: Values, **keys: Any) -> Values:
    values["destinations"]["one-more"] = {
        "hosts": ["api.example.net"],
        "ports": {"api": {"port": 8443, "protocol": "TLS"}},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **ANSWERABLE,
        **keys,
    }
    return values


def _observing(values: Values) -> Values:
    return changed(setting("egress.posture", "observe"), values)


@pytest.mark.parametrize(("variant", "name"), [*_GROUPS, ("terway", "nodes")])
@pytest.mark.parametrize("address", ["192.168.0.20", "10.244.1.1", "192.168.0.70"])
def test_in_cluster_traffic_is_open_both_ways(variant: str, name: str, address: str) -> None:
    """Pods of the cluster could not reach the gateway, or nodes their kubelets, DNS or each other."""
    group = group_of(VARIANTS[variant](), name)
    for port in (None, 53, 10250, 15012):
        assert decides(group, "egress", address, port) == "accept"
        assert decides(group, "ingress", address, port) == "accept"


@pytest.mark.parametrize(("variant", "name"), _GROUPS)
def test_the_api_server_is_reached_and_reaches_nodes(variant: str, name: str) -> None:
    """Nodes stayed NotReady: an API server outside the nodes' ranges was cut off."""
    settings = settings_of(VARIANTS[variant]())
    elsewhere = cluster_ranges(apiServerAddresses=["10.88.0.4"], apiServerPort=7443)
    plan = plan_cloud(settings, just_enough(settings, cluster=elsewhere))
    assert plan is not None
    (group,) = [each for each in plan.nodes.security_groups if each.name == name]
    assert decides(group, "egress", "10.88.0.4", 7443) == "accept"
    assert decides(group, "egress", "10.88.0.4", 443) == "accept"
    assert decides(group, "egress", "10.88.0.4", 22) == "drop"
    assert decides(group, "ingress", "10.88.0.4", 10250) == "accept"
    assert decides(group, "ingress", "10.88.0.5", 10250) == "drop"


@pytest.mark.parametrize("service", ["100.100.100.200", "100.100.2.136", "100.64.0.1"])
def test_nodes_reach_the_cloud_s_services_and_pods_do_not(service: str) -> None:
    """Nodes had no DNS and no metadata; or whoever has a gateway ask for an address got the node's credentials."""
    assert decides(group_of(flannel_values(), "nodes"), "egress", service, 80) == "accept"
    assert decides(group_of(terway_values(), "nodes"), "egress", service, 80) == "accept"
    assert decides(group_of(terway_values(), "pods"), "egress", service, 80) == "drop"


@pytest.mark.parametrize(("variant", "name"), _GROUPS)
def test_declared_addresses_are_reached_on_their_port_alone(variant: str, name: str) -> None:
    """A destination's addresses were cut off, or open on every port."""
    group = group_of(_with(VARIANTS[variant](), cidrs=["93.184.216.0/24"]), name)
    assert decides(group, "egress", "93.184.216.9", 8443) == "accept"
    assert decides(group, "egress", "93.184.216.9", 8444) == "drop"
    assert decides(group, "egress", "93.184.217.9", 8443) == "drop"
    assert decides(group, "egress", "93.184.216.9") == "drop"


@pytest.mark.parametrize(("variant", "name"), _GROUPS)
def test_declared_names_are_reached_anywhere_but_not_next_door(variant: str, name: str) -> None:
    """A name's port opened the same port of every machine around the VPC."""
    group = group_of(_with(VARIANTS[variant]()), name)
    assert decides(group, "egress", "8.8.8.8", 8443) == "accept"
    assert decides(group, "egress", "8.8.8.8", 8444) == "drop"
    for address in _NEIGHBOURS:
        assert decides(group, "egress", address, 8443) == "drop"


@pytest.mark.parametrize(("variant", "name"), _GROUPS)
def test_private_addresses_that_are_declared_are_reached(variant: str, name: str) -> None:
    """What the security team granted was dropped with its neighbours."""
    group = group_of(_with(VARIANTS[variant](), cidrs=["10.9.9.0/24"]), name)
    assert decides(group, "egress", "10.9.9.9", 8443) == "accept"
    assert decides(group, "egress", "10.9.8.9", 8443) == "drop"


@pytest.mark.parametrize(("variant", "name"), [*_GROUPS, ("terway", "nodes")])
def test_observing_drops_nothing_that_leaves(variant: str, name: str) -> None:
    """`observe` broke traffic that nobody had declared yet."""
    group = group_of(_observing(VARIANTS[variant]()), name)
    assert all(rule.policy == "accept" for rule in group.rules)
    for address in (*_NEIGHBOURS, "8.8.8.8"):
        assert decides(group, "egress", address, 4711) == "accept"
        assert decides(group, "egress", address) == "accept"


@pytest.mark.parametrize(("variant", "name"), [*_GROUPS, ("terway", "nodes")])
def test_promoting_takes_no_rule_away_but_the_last(variant: str, name: str) -> None:
    """Between two rules, while one was replaced, declared traffic was dropped."""
    observed = {each.name: each for each in group_of(_observing(VARIANTS[variant]()), name).rules}
    enforced = {each.name: each for each in group_of(VARIANTS[variant](), name).rules}
    assert {key for key in observed if enforced.get(key) != observed[key]} == {"egress-accept-all-0.0.0.0-0"}
    assert {rule.policy for key, rule in enforced.items() if key not in observed} == {"drop"}


@pytest.mark.parametrize(("variant", "name"), [*_GROUPS, ("terway", "nodes")])
def test_strangers_reach_nobody(variant: str, name: str) -> None:
    """Somebody in the VPC, or outside, came in to the nodes, of which nothing is offered."""
    for values in (VARIANTS[variant](), _observing(VARIANTS[variant]())):
        group = group_of(values, name)
        for port in (None, 22, 80, 10080, 30080):
            assert decides(group, "ingress", _STRANGER, port) == "drop"
            assert decides(group, "ingress", "10.9.9.9", port) == "drop"


def _exposed(values: Values) -> Values:
    values["backendGateways"] = {"default": {"exposure": "intranet", "sourceRanges": ["10.30.0.0/16"]}}
    return values


def test_callers_of_backends_come_in_by_node_ports() -> None:
    """A load balancer found no node; or its callers reached every port of the nodes."""
    for values in (flannel_values(), terway_values()):
        group = group_of(_exposed(values), "nodes")
        for caller in ("10.30.1.1", "100.117.0.9"):  # a caller, and the load balancer's own question
            assert decides(group, "ingress", caller, 30080) == "accept"
            assert decides(group, "ingress", caller, 22) == "drop"
            assert decides(group, "ingress", caller, 10080) == "drop"
        assert decides(group, "ingress", "10.31.0.1", 30080) == "drop"


def test_callers_of_backends_come_in_to_pods_by_their_own_ports() -> None:
    """With terway a load balancer leads to pods, and was dropped there; or reached what they keep for themselves."""
    group = group_of(_exposed(terway_values()), "pods")
    for caller in ("10.30.1.1", "100.117.0.9"):
        assert decides(group, "ingress", caller, 10080) == "accept"
        assert decides(group, "ingress", caller, 19001) == "drop"
        assert decides(group, "ingress", caller, 30080) == "drop"
    assert decides(group, "ingress", "10.31.0.1", 10080) == "drop"


def test_gateways_on_other_nodes_open_nothing_here() -> None:
    """Callers of a Gateway elsewhere came in to the egress nodes."""
    values = terway_values()
    elsewhere = {"nodes": "any", "addresses": {"mode": "existing", "cidrs": ["203.0.113.20/32"]}}
    values["backendGateways"] = {"default": {"exposure": "intranet", "sourceRanges": ["10.30.0.0/16"], **elsewhere}}
    for name in ("nodes", "pods"):
        assert decides(group_of(values, name), "ingress", "10.30.1.1", 30080) == "drop"
        assert decides(group_of(values, name), "egress", "172.139.20.181", 17000) == "drop"


def test_with_terway_nodes_reach_what_they_fetch_and_pods_what_is_declared() -> None:
    """A pod of somebody else on an egress node had a gateway's way out; or a gateway that of the nodes."""
    values = _with(terway_values(), cidrs=["93.184.216.0/24"])
    fetch = {"hosts": ["registry.example.net"], "port": 5000, "cidrs": ["93.184.217.0/24"], **ANSWERABLE}
    values["egress"]["nodes"]["fetches"] = {"registry": fetch}
    nodes, pods = group_of(values, "nodes"), group_of(values, "pods")
    assert decides(nodes, "egress", "93.184.217.9", 5000) == "accept"
    assert decides(pods, "egress", "93.184.217.9", 5000) == "drop"
    assert decides(pods, "egress", "93.184.216.9", 8443) == "accept"
    assert decides(nodes, "egress", "93.184.216.9", 8443) == "drop"


def _let_out(policy: KubeObject) -> Iterator[tuple[str, int]]:
    """An address of each range that a NetworkPolicy lets out to, with each port; DNS on the node leaves nothing."""
    for rule in policy.spec.get("egress", ()):
        for cidr in (to["ipBlock"]["cidr"] for to in rule["to"] if "ipBlock" in to):
            address = "8.8.8.8" if cidr == "0.0.0.0/0" else str(ipaddress.ip_network(cidr)[0])
            if address != "169.254.20.10":
                yield from ((address, port["port"]) for port in rule["ports"])


@pytest.mark.parametrize(("variant", "name"), [("flannel", "nodes"), ("terway", "pods")])
def test_what_networkpolicies_let_out_security_groups_let_out(variant: str, name: str) -> None:
    """Two layers disagreed about what is declared."""
    values = _with(VARIANTS[variant](), cidrs=["93.184.216.0/24"])
    values["backends"]["httpbin"]["cidrs"] = ["93.184.220.0/24"]
    group = group_of(values, name)
    policies = [
        each
        for each in of_kind(plan_of(values), "NetworkPolicy")
        if (each.namespace, each.name)
        in (("istio-egress", "egress-gateway"), ("envoy-gateway-system", "cluster-egress"))
    ]
    let_out = [each for policy in policies for each in _let_out(policy)]
    assert len(let_out) >= 5
    for address, port in let_out:
        assert decides(group, "egress", address, port) == "accept", (address, port)


def _rules(values: Values, name: str) -> dict[str, SecurityGroupRule]:
    return {each.name: each for each in group_of(values, name).rules}


def test_a_new_destination_adds_its_own_rule_and_changes_no_other() -> None:
    """One destination more replaced the rules of others, whose traffic was cut for a moment."""
    before = _rules(flannel_values(), "nodes")
    after = _rules(_with(flannel_values(), cidrs=["93.184.216.0/24"]), "nodes")
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"egress-accept-tcp-8443-8443-93.184.216.0-24"}


def test_the_same_range_of_two_destinations_is_one_rule() -> None:
    """The cloud refused a rule that was there already."""
    values = _with(flannel_values(), cidrs=["93.184.216.0/24"])
    values["destinations"]["another"] = {**values["destinations"]["one-more"], "hosts": ["other.example.net"]}
    assert _rules(values, "nodes") == _rules(_with(flannel_values(), cidrs=["93.184.216.0/24"]), "nodes")


@pytest.mark.parametrize("variant", VARIANTS)
def test_rules_are_such_as_the_cloud_takes(variant: str) -> None:
    """The API refused a rule: its ports, its priority, or one that is there twice (ECS, AuthorizeSecurityGroup)."""
    for group in cloud_of(VARIANTS[variant]()).nodes.security_groups:
        assert len({each.name for each in group.rules}) == len(group.rules)
        said = {(each.direction, each.protocol, each.ports, each.cidr, each.policy) for each in group.rules}
        assert len(said) == len(group.rules)
        for rule in group.rules:
            assert 1 <= rule.priority <= 100
            assert (rule.ports == "-1/-1") == (rule.protocol == "all")
            assert ipaddress.ip_network(rule.cidr).version == 4
        assert group.rules[-1].cidr == "0.0.0.0/0"
        assert group.rules[-1].priority == max(rule.priority for rule in group.rules)


def test_a_pod_range_outside_the_approved_ones_is_in_the_cluster_all_the_same() -> None:
    """Gateways in a range that the approvals do not know could not reach each other's zone."""
    values = on_cloud(dev_values(), "terway")
    values["egress"]["nodes"]["zones"]["cn-hangzhou-h"]["pods"] = "10.77.0.0/24"
    assert decides(group_of(values, "pods"), "egress", "10.77.0.9", 15012) == "accept"
