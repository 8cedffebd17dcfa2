"""Nothing is allowed beyond the declaration, and nothing less: every layer projected back onto it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import make_plan
from tests.declarations import declarations, large
from tests.plan.projections import (
    blocks,
    declared,
    doors,
    entries_show,
    gateway_lets_through,
    mesh_reaches,
)
from tests.support import Values, changed, dev_values, just_enough, of_kind, plan_of, setting, settings_of

_CLIENT_GROUPS: dict[str, dict[str, Any]] = {
    "one host, ports with different clients": {
        "read": {"hosts": ["a.com"], "ports": {80: "HTTP"}, "clients": {"news": ["reader"]}},
        "write": {"hosts": ["a.com"], "ports": {443: "TLS"}, "clients": {"shop": ["writer"]}},
    },
    "one host and port in two destinations": {
        "one": {"hosts": ["a.com", "b.com"], "ports": {443: "TLS"}, "clients": {"news": ["reader"]}},
        "two": {"hosts": ["b.com", "c.net"], "ports": {443: "TLS"}, "clients": {"shop": ["reader"]}},
    },
    "a prefix of another host, both in HTTP": {
        "short": {"hosts": ["a.com"], "ports": {80: "HTTP"}, "clients": {"news": ["reader"]}},
        "long": {"hosts": ["a.com.uk"], "ports": {80: "HTTP", 8080: "HTTP"}, "clients": {"news": ["reader"]}},
    },
    "two TLS ports of one host, one shared": {
        "one": {"hosts": ["a.com"], "ports": {443: "TLS", 8443: "TLS"}, "clients": {"news": ["reader", "writer"]}},
        "two": {"hosts": ["a.com"], "ports": {8443: "TLS"}, "clients": {"shop": ["reader"]}},
    },
    "HTTP and TLS of one host with different accounts of one namespace": {
        "one": {"hosts": ["a.com", "b.com"], "ports": {80: "HTTP", 443: "TLS"}, "clients": {"news": ["reader"]}},
        "two": {"hosts": ["a.com"], "ports": {80: "HTTP"}, "clients": {"news": ["writer"]}},
        "three": {"hosts": ["b.com"], "ports": {80: "HTTP", 443: "TLS"}, "clients": {"news": ["writer"]}},
    },
}


def _written(name: str) -> Values:
    entries = {
        key: {
            "hosts": entry["hosts"],
            "ports": {f"p{port}": {"port": port, "protocol": kind} for port, kind in entry["ports"].items()},
            "clients": {namespace: {"serviceAccounts": who} for namespace, who in entry["clients"].items()},
            "owner": "team",
            "ticket": "FW-1",
            "expires": "2029-12-31",
        }
        for key, entry in _CLIENT_GROUPS[name].items()
    }
    return changed(lambda values: values.update(destinations=entries))


def _check_mesh(values: Values) -> None:
    plan = plan_of(values)
    allowed = declared(values)
    assert gateway_lets_through(plan) == allowed
    ways, reached = doors(plan), mesh_reaches(plan)
    for client, host, port in allowed:
        namespace = client.partition("/")[0]
        assert ways[reached[namespace, host, port]] == (host, port)


@pytest.mark.parametrize("name", _CLIENT_GROUPS)
def test_gateway_lets_through_exactly_what_hosts_of_several_destinations_add_up_to(name: str) -> None:
    """A client of one destination got at a host or port that only another destination gives to someone else."""
    _check_mesh(_written(name))


@pytest.mark.parametrize("kind", ["both", "http", "tls"])
@pytest.mark.parametrize("namespaces_each", [1, 2])
def test_gateway_lets_through_exactly_what_a_large_declaration_says(kind: str, namespaces_each: int) -> None:
    """With several chunks a group, lanes that are used again led into a neighbouring chunk."""
    _check_mesh(large(150, 3, namespaces_each=namespaces_each, kinds=(kind,)))


@settings(max_examples=60, deadline=None)
@given(values=declarations())
def test_gateway_lets_through_exactly_what_is_declared(values: Values) -> None:
    """Some mix of shared hosts, ports and clients opened more, or less, than was asked for."""
    _check_mesh(values)


@settings(max_examples=60, deadline=None)
@given(values=declarations())
def test_service_entries_show_a_host_to_the_namespaces_of_its_clients_only(values: Values) -> None:
    """A host became known to a namespace that never asked, or stayed unknown to one that did.

    A ServiceEntry shows a host with all its ports: a namespace that may use one port sees the others, and the gateway
    refuses them. So the projection is: seen is (namespaces of the host's clients) x (ports of the host), each.
    """
    allowed = declared(values)
    seen_by = {(client.partition("/")[0], host) for client, host, _ in allowed}
    ports = {(host, port) for _, host, port in allowed}
    expected = {(who, host, port) for who, host in seen_by for other, port in ports if other == host}
    assert entries_show(plan_of(values)) == expected


@pytest.mark.pinned("network", "declared CIDRs, of IPv6 too", "the bed has IPv4 only")
@settings(max_examples=60, deadline=None)
@given(values=declarations())
def test_gateway_network_policy_opens_exactly_the_declared_addresses_and_ports(values: Values) -> None:
    """An address was opened on the port of another destination, or a declared one stayed shut."""
    expected: set[tuple[str, int]] = set()
    for destination in values["destinations"].values():
        for cidr in destination.get("cidrs", ["0.0.0.0/0"]):
            expected |= {(cidr, port["port"]) for port in destination["ports"].values()}
    gateway, proxies, *_ = plan_of(values).gateway_policies
    assert blocks(gateway) == expected
    assert blocks(proxies) == {("172.139.20.181/32", 17000), ("172.139.20.183/32", 17000), ("0.0.0.0/0", 80)}


@settings(max_examples=60, deadline=None)
@given(values=declarations())
def test_every_chunk_has_its_sni_in_exactly_the_namespaces_of_its_group(values: Values) -> None:
    """A namespace was told the SNI of routes that are not its own, or was not told that of its own."""
    plan = plan_of(values)
    told = {
        (rule.namespace, subset["trafficPolicy"]["tls"]["sni"])
        for rule in of_kind(plan, "DestinationRule")
        for subset in rule.spec["subsets"]
    }
    needed = {
        (namespace, service.spec["hosts"][-1])
        for service in of_kind(plan, "VirtualService")
        for namespace in set(service.spec["exportTo"]) - {"."}
    }
    assert told == needed
    assert all(rule.spec["exportTo"] == ["."] for rule in of_kind(plan, "DestinationRule"))
    assert all(
        each["trafficPolicy"]["tls"]["mode"] == "ISTIO_MUTUAL"
        for rule in of_kind(plan, "DestinationRule")
        for each in rule.spec["subsets"]
    )


@settings(max_examples=40, deadline=None)
@given(values=declarations(), data=st.data())
def test_taking_a_client_away_never_opens_anything(values: Values, data: st.DataObject) -> None:
    """Denying more allowed more: a smaller declaration let something through that the larger one refused."""
    names = [name for name, entry in values["destinations"].items() if len(entry["clients"]) > 1]
    if not names:
        return
    name = data.draw(st.sampled_from(names))
    namespace = data.draw(st.sampled_from(sorted(values["destinations"][name]["clients"])))
    less = changed(lambda all_values: all_values["destinations"][name]["clients"].pop(namespace), values)
    assert gateway_lets_through(plan_of(less)) < gateway_lets_through(plan_of(values)) or declared(less) == declared(
        values
    )


@pytest.mark.pinned("mesh", "another trust domain", "dev has the default one")
def test_principals_carry_the_mesh_s_trust_domain() -> None:
    """After a change of trust domain every client was refused, because policies named the old one."""
    values = changed(setting("egress.mesh.trustDomain", "mesh.example.com"))
    assert gateway_lets_through(plan_of(values), "mesh.example.com") == declared(values)
    istio = plan_of(values).istio
    assert istio is not None
    assert istio.istiod.values["meshConfig"]["trustDomain"] == "mesh.example.com"


def test_everything_else_is_refused_at_the_gateway() -> None:
    """Without an ALLOW policy of no rules, a gateway whose last group is removed lets everyone through."""
    (deny,) = plan_of(dev_values()).egress_gateway.guards
    assert (deny.kind, deny.namespace, dict(deny.spec)) == ("AuthorizationPolicy", "istio-egress", {})


def test_backends_lead_to_their_declared_endpoints_only() -> None:
    """A route offered one backend's hostname and led to another's endpoints."""
    plan = plan_of(dev_values())
    assert plan.backends is not None
    places = {backend.name: backend.spec["endpoints"] for backend in of_kind(plan, "Backend")}
    offered = {
        hostname: places[route.spec["rules"][0]["backendRefs"][0]["name"]]
        for route in of_kind(plan, "HTTPRoute")
        for hostname in route.spec["hostnames"]
    }
    assert offered == {
        "n9e.jiaxzeng.com": [
            {"ip": {"address": "172.139.20.181", "port": 17000}},
            {"ip": {"address": "172.139.20.183", "port": 17000}},
        ],
        "httpbin.org": [{"fqdn": {"hostname": "httpbin.org", "port": 80}}],
    }


def test_without_backends_there_is_no_second_way_out() -> None:
    """Envoy Gateway, with its Backend API on, was installed where nothing is offered through it."""
    values = changed(lambda all_values: all_values.pop("backends"))
    accepted = settings_of(values)
    plan = make_plan(accepted, just_enough(accepted), stack="test")
    assert plan.envoy_gateway is None
    assert plan.backends is None
    assert [policy.name for policy in plan.gateway_policies] == ["egress-gateway", "control-plane"]
    assert "envoy-gateway-system" not in plan.namespaces
