"""NetworkPolicies: what leaves the cluster, address by address."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import make_plan
from components.plan.lockdown import gateway_policies
from policy.facts.special_ranges import SPECIAL_RANGES, AddressClass
from tests.support import (
    Values,
    approvals_of,
    changed,
    cluster_ranges,
    dev_approvals,
    dev_values,
    full_values,
    just_enough,
    plan_of,
    settings_of,
)

_SPECIAL = [row for row in SPECIAL_RANGES if row.network.version == 4 and row.address_class != AddressClass.PUBLIC]
_OWN = ("10.244.0.0/16", "10.96.0.0/12", "192.168.0.0/24", "192.168.0.10/32")


def _any_public(values: Values | None = None) -> list[Any]:
    """The `ipBlock`s of all gateways that stand for any public address."""
    policies = plan_of(dev_values() if values is None else values).gateway_policies
    return [
        peer["ipBlock"]
        for policy in policies
        for rule in policy.spec.get("egress", ())
        for peer in rule["to"]
        if "except" in peer.get("ipBlock", {})
    ]


def _reaches(block: Any, address: ipaddress.IPv4Address) -> bool:
    return address in ipaddress.ip_network(block["cidr"]) and not any(
        address in ipaddress.ip_network(hole) for hole in block["except"]
    )


@pytest.mark.parametrize("row", _SPECIAL, ids=lambda row: str(row.network))
def test_any_public_address_is_never_a_special_one(row: Any) -> None:
    """`publicRanges` opened metadata servers, private networks or the nodes themselves."""
    for block in _any_public():
        assert not _reaches(block, row.network.network_address)
        assert not _reaches(block, row.network.broadcast_address)


@pytest.mark.parametrize("cidr", _OWN)
def test_any_public_address_is_never_one_of_the_cluster(cidr: str) -> None:
    """A cluster on public addresses could reach its own API server as `outside`."""
    assert all(not _reaches(block, ipaddress.IPv4Network(cidr).network_address) for block in _any_public())


@pytest.mark.pinned("network", "a cluster on public addresses", "the bed is on private ones")
@pytest.mark.parametrize("own", ["podCidrs", "serviceCidrs", "nodeCidrs", "apiServerAddresses"])
def test_the_cluster_s_ranges_are_excepted_where_they_are_public(own: str) -> None:
    """As above, for each kind of range, with addresses that no special range covers."""
    value = "13.1.2.3" if own == "apiServerAddresses" else "13.1.0.0/16"
    accepted = settings_of(dev_values())
    approvals = just_enough(accepted, cluster=cluster_ranges(**{own: [value]}))
    egress = gateway_policies(accepted, approvals, ())[0].spec["egress"]
    (block,) = (peer["ipBlock"] for rule in egress for peer in rule["to"] if "except" in peer.get("ipBlock", {}))
    assert not _reaches(block, ipaddress.IPv4Address("13.1.2.3"))
    assert _reaches(block, ipaddress.IPv4Address("13.2.2.3"))


@given(address=st.ip_addresses(v=4))
def test_any_public_address_is_every_public_one(address: ipaddress.IPv4Address) -> None:
    """An ordinary public address was shut although it is approved."""
    special = any(address in row.network for row in _SPECIAL)
    assert all(_reaches(block, address) is not special for block in _any_public())


def test_exceptions_lie_inside_their_block_and_do_not_overlap() -> None:
    """The API server refuses an `except` that is not strictly inside `cidr`."""
    for block in _any_public():
        holes = [ipaddress.IPv4Network(hole) for hole in block["except"]]
        assert all(hole.prefixlen > 0 for hole in holes)
        assert list(ipaddress.collapse_addresses(holes)) == holes


def test_no_public_range_is_opened_where_addresses_are_declared() -> None:
    """`cidrs` were declared and the policy opened every address all the same."""
    assert _any_public(full_values()) == []


@settings(max_examples=20, deadline=None)
@given(ports=st.lists(st.integers(1, 14999).filter(lambda port: port != 80), min_size=1, max_size=4, unique=True))
def test_public_ranges_are_bounded_by_ports(ports: list[int]) -> None:
    """An approval for 443 opened every port."""
    entry = {**dev_values()["destinations"]["edition-cnn"]}
    entry["ports"] = {f"p{port}": {"port": port, "protocol": "TLS"} for port in ports}
    values = changed(lambda all_values: all_values.update(destinations={"one": entry}))
    policy = plan_of(values).gateway_policies[0]
    (rule,) = (
        rule for rule in policy.spec.get("egress", ()) if any("except" in p.get("ipBlock", {}) for p in rule["to"])
    )
    assert rule["ports"] == [{"protocol": "TCP", "port": port} for port in sorted(ports)]


def test_every_egress_rule_names_peers_and_every_way_out_names_ports() -> None:
    """In a NetworkPolicy, no `to` means anywhere and no `ports` means all of them."""
    plan = plan_of(dev_values())
    for policy in (*plan.gateway_policies, *plan.client_policies):
        assert "Egress" in policy.spec["policyTypes"]
        for rule in policy.spec.get("egress", ()):
            assert rule["to"]
            if rule["to"] != [{"namespaceSelector": {}}]:
                assert rule["ports"]


def test_clients_keep_the_cluster_and_lose_the_outside() -> None:
    """A client namespace could go out past the gateway, or lost in-cluster traffic that is not ours to cut."""
    settings_in_use = settings_of(dev_values())
    plan = make_plan(settings_in_use, dev_approvals(), stack="dev")
    assert [policy.namespace for policy in plan.client_policies] == ["news", "shop"]
    dns = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    for policy in plan.client_policies:
        assert policy.spec == {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"namespaceSelector": {}}]},
                {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], "ports": dns},
                {
                    "to": [{"ipBlock": {"cidr": "192.168.0.10/32"}}],
                    "ports": [{"protocol": "TCP", "port": 6443}],
                },
            ],
        }


def test_the_egress_gateway_takes_connections_of_clients_only() -> None:
    """Any pod could connect to the gateway's doors."""
    policy = plan_of(dev_values()).gateway_policies[0]
    first, health, metrics = policy.spec["ingress"]
    (peer,) = first["from"]
    assert peer["namespaceSelector"]["matchExpressions"] == [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["news", "shop"]}
    ]
    assert [port["port"] for port in first["ports"]] == [80, *range(20000, 20032)]
    assert health == {"ports": [{"protocol": "TCP", "port": 15021}]}
    assert metrics["from"] == [{"namespaceSelector": {}}], "metrics are for pods only"
    assert [port["port"] for port in metrics["ports"]] == [15020, 15090]


def test_the_api_server_s_addresses_and_port_come_from_the_approvals() -> None:
    """Clients lost the API server where it answers on another port, or over IPv6."""
    values = dev_values()
    accepted = settings_of(values)
    approvals = approvals_of(
        {
            **just_enough(accepted).model_dump(mode="json", by_alias=True, exclude_none=True),
            "cluster": cluster_ranges(apiServerAddresses=["fd00:1::1"], apiServerPort=443),
        }
    )
    rule = make_plan(accepted, approvals, stack="dev").client_policies[0].spec["egress"][-1]
    assert rule == {"to": [{"ipBlock": {"cidr": "fd00:1::1/128"}}], "ports": [{"protocol": "TCP", "port": 443}]}


def test_control_planes_reach_nothing_outside() -> None:
    """A controller that fetches what a tenant names (a JWKS, a Wasm module) was a way out of its own."""
    policies = [policy for policy in plan_of(dev_values()).gateway_policies if policy.name == "control-plane"]
    assert {policy.namespace for policy in policies} == {"istio-system", "envoy-gateway-system"}
    for policy in policies:
        blocks = [
            to["ipBlock"]["cidr"] for rule in policy.spec.get("egress", ()) for to in rule["to"] if "ipBlock" in to
        ]
        assert blocks == ["169.254.20.10/32", "192.168.0.10/32"]
