"""Flavour gateway-api: a destination means the same, and its way is made of Gateway API objects."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import KubeObject
from components.plan.groups import client_groups
from components.plan.mesh.gateway_ports import gateway_ports
from components.plan.names import hash_bits
from components.settings.reserved import MOST_SINGLE, SHARED_PORTS, SINGLE_PORTS
from tests.declarations import answerable, declarations, large, with_host
from tests.plan.gateway_api_projections import doors, gateway_lets_through, gateways, mesh_reaches
from tests.plan.projections import declared, entries_show
from tests.support import Values, changed, of_kind, plan_of, setting, settings_of

_MOST_LISTENERS = 64
_MOST_PARENTS = 32


def _by_gateway_api(values: Values) -> Values:
    return changed(setting("egress.mesh.flavour", "gateway-api"), values)


def _destination(**more: Any) -> Values:
    """The `dev` stack with one destination."""
    entry = {
        "hosts": ["a.com"],
        "ports": {"http": {"port": 80, "protocol": "HTTP"}},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **answerable(),
        **more,
    }
    return _by_gateway_api(changed(lambda values: values.update(destinations={"only": entry})))


def _check(values: Values) -> None:
    plan = plan_of(values)
    allowed = declared(values)
    assert gateway_lets_through(plan) == allowed
    ways, reached = doors(plan), mesh_reaches(plan)
    for client, host, port in allowed:
        namespace = client.partition("/")[0]
        assert ways[reached[namespace, host, port]] == (host, port)
    assert set(reached) == entries_show(plan), "a port that sidecars know leads around the gateway"


@settings(max_examples=60, deadline=None)
@given(values=declarations())
def test_gateway_lets_through_exactly_what_is_declared(values: Values) -> None:
    """Some mix of shared hosts, ports and clients opened more, or less, than was asked for."""
    _check(_by_gateway_api(values))


@pytest.mark.parametrize("kind", ["both", "http", "tls"])
@pytest.mark.parametrize("namespaces_each", [1, 2])
def test_gateway_lets_through_exactly_what_a_large_declaration_says(kind: str, namespaces_each: int) -> None:
    """With several Gateways a group, a route hung on the listener of another one."""
    _check(_by_gateway_api(large(150, 3, namespaces_each=namespaces_each, kinds=(kind,))))


def test_different_clients_of_hosts_in_one_group_get_their_own_only() -> None:
    """Clients of one port of a host got at its other port, because the group's ports were allowed together."""
    first = {
        "hosts": ["a.com", "b.com"],
        "ports": {"http": {"port": 80, "protocol": "HTTP"}, "https": {"port": 443, "protocol": "TLS"}},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **answerable(),
    }
    second = {**first, "ports": {"http": {"port": 80, "protocol": "HTTP"}}}
    second["clients"] = {"news": {"serviceAccounts": ["writer"]}}
    values = changed(lambda all_values: all_values.update(destinations={"one": first, "two": second}))
    _check(_by_gateway_api(values))


def test_no_object_is_larger_than_its_crd_allows() -> None:
    """The API server refused a Gateway of 65 listeners, or a route of 33 parents, half-way through an update."""
    plan = plan_of(_by_gateway_api(large(200, 1, kinds=("both", "tls"))))
    assert max(len(gateway.spec["listeners"]) for gateway in gateways(plan)) <= _MOST_LISTENERS
    assert len(gateways(plan)) > 1
    routes = [route for kind in ("HTTPRoute", "GRPCRoute") for route in of_kind(plan.egress_gateway, kind)]
    assert max(len(route.spec["parentRefs"]) for route in routes) <= _MOST_PARENTS
    assert len([route for route in routes if route.spec["parentRefs"][0].get("kind") == "ServiceEntry"]) > 1


@pytest.mark.parametrize(("hosts", "gateways_needed"), [(_MOST_LISTENERS, 1), (_MOST_LISTENERS + 1, 2)])
def test_listeners_over_the_limit_go_to_another_gateway(hosts: int, gateways_needed: int) -> None:
    """The 65th TLS host of a group was refused by the API server."""
    assert len(gateways(plan_of(_by_gateway_api(large(hosts, 1, kinds=("tls",)))))) == gateways_needed


def test_every_listener_has_a_port_of_its_own_that_the_service_and_its_network_policy_open() -> None:
    """Two Gateways on one Service claimed the same port, or one that nobody could reach."""
    plan = plan_of(_by_gateway_api(large(150, 3)))
    ports = [listener["port"] for gateway in gateways(plan) for listener in gateway.spec["listeners"]]
    assert len(ports) == len(set(ports))
    assert set(ports) <= {*SHARED_PORTS, *SINGLE_PORTS}
    (release,) = plan.egress_gateway.releases
    opened = {port["port"] for port in release.values["service"]["ports"] if port["name"] != "status-port"}
    assert opened == set(ports)
    policy = next(item for item in plan.gateway_policies if item.name == "egress-gateway")
    assert {port["port"] for port in policy.spec["ingress"][0]["ports"]} == set(ports)


@settings(max_examples=30, deadline=None)
@given(values=declarations(), data=st.data())
def test_ports_do_not_depend_on_the_order_of_the_declaration(values: Values, data: st.DataObject) -> None:
    """Sorting the stack file moved every client to another port."""
    order = data.draw(st.permutations(list(values["destinations"])))
    again = {**values, "destinations": {name: values["destinations"][name] for name in order}}
    assert doors(plan_of(_by_gateway_api(again))) == doors(plan_of(_by_gateway_api(values)))


def test_one_more_host_moves_no_other() -> None:
    """A new host took the ports of others, whose connections broke off."""
    values = _by_gateway_api(large(150, 3))
    before, after = doors(plan_of(values)), doors(plan_of(with_host(values, "group-0-tls", "new.example.com")))
    assert {door: after.get(door) for door in before} == before
    assert set(after.values()) - set(before.values()) == {("new.example.com", 443)}


def test_as_many_hosts_as_settings_take_have_a_port_each() -> None:
    """Two hosts whose hashes name the same port shared it, and one got the other's connections."""
    values = _destination(
        hosts=[f"host-{number}.example.org" for number in range(MOST_SINGLE)],
        ports={"https": {"port": 443, "protocol": "TLS"}},
    )
    ports = gateway_ports(client_groups(settings_of(values).destinations)).single
    alone = {key: SINGLE_PORTS[int(hash_bits(f"{key[0]}:{key[1]}"), 2) % len(SINGLE_PORTS)] for key in ports}
    assert len(set(alone.values())) < MOST_SINGLE, "none collide"
    assert len(set(ports.values())) == MOST_SINGLE


def test_requests_are_handled_as_declared() -> None:
    """A time limit, a retry, a header or a share was lost between the declaration and the route."""
    routing = {
        "timeout": "30s",
        "retries": {"attempts": 3, "perTryTimeout": "5s"},
        "requestHeaders": {"set": {"x-team": "news"}, "remove": ["x-debug"]},
        "responseHeaders": {"remove": ["server"]},
        "split": {"other": 20},
        "mirror": {"to": "other", "percent": 5},
    }
    other = _destination(hosts=["b.com"])["destinations"]["only"]
    values = _destination(ports={"http": {"port": 80, "protocol": "HTTP", "routing": routing}})
    values["destinations"]["other"] = other
    plan = plan_of(values)
    (rule,) = (route.spec["rules"][0] for route in of_kind(plan.egress_gateway, "HTTPRoute") if _serves(route, "a.com"))
    backend = {"group": "networking.istio.io", "kind": "Hostname", "port": 80}
    request, response, mirror = rule["filters"]
    assert {"x-debug", "x-forwarded-for", "x-forwarded-client-cert"} <= set(request["requestHeaderModifier"]["remove"])
    assert request["requestHeaderModifier"]["set"] == [{"name": "x-team", "value": "news"}]
    assert response["responseHeaderModifier"] == {"remove": ["server"]}
    assert mirror["requestMirror"] == {"backendRef": {**backend, "name": "b.com"}, "percent": 5}
    own = {"set": [{"name": "Host", "value": "b.com"}]}
    assert rule["backendRefs"] == [
        {**backend, "name": "a.com", "weight": 80},
        {
            **backend,
            "name": "b.com",
            "weight": 20,
            "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": own}],
        },
    ]
    assert rule["timeouts"] == {"request": "30s", "backendRequest": "5s"}
    assert rule["retry"] == {"attempts": 3, "codes": [503]}


def test_grpc_with_time_limits_goes_by_an_http_route() -> None:
    """A GRPCRoute has no field for a time limit, which was lost."""
    plain = {"port": 80, "protocol": "GRPC"}
    limited = {**plain, "routing": {"timeout": "30s"}}
    for port, kind in ((plain, "GRPCRoute"), (limited, "HTTPRoute")):
        plan = plan_of(_destination(ports={"grpc": port}))
        (found,) = (route for route in of_kind(plan.egress_gateway, kind) if _serves(route, "a.com"))
        assert found.spec["rules"][0].get("timeouts") == (None if kind == "GRPCRoute" else {"request": "30s"})


def test_tls_starts_at_the_gateway_and_nobody_gets_around_it() -> None:
    """A client that called the number of the TLS side went straight out."""
    plan = plan_of(_destination(ports={"secure": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}}}))
    assert set(doors(plan).values()) == {("a.com", 443)}
    assert set(mesh_reaches(plan)) == entries_show(plan)
    (number,) = {port for _, _, port in entries_show(plan)} - {80}
    (rule,) = (rule for rule in of_kind(plan.egress_gateway, "DestinationRule") if rule.spec["host"] == "*")
    settings_of_ports = rule.spec["trafficPolicy"]["portLevelSettings"]
    assert settings_of_ports == [{"port": {"number": number}, "tls": {"mode": "SIMPLE"}}]


def test_namespaces_without_a_gateway_get_routes_past_it() -> None:
    """A client without a gateway was sent to one whose Service it does not see."""
    values = _destination(
        ports={
            "secure": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}},
            "plain": {"port": 8080, "protocol": "HTTP"},
            "https": {"port": 8443, "protocol": "TLS"},
        },
        clients={"news": {"everyone": True}},
        cidrs=["8.8.8.0/24"],
    )
    values["cluster"]["namespaces"]["news"]["outbound"] = "registry-only"
    plan = plan_of(values)
    assert gateways(plan) == []
    (route,) = [
        route
        for kind in ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
        for route in of_kind(plan.egress_gateway, kind)
    ]
    (parent,) = route.spec["parentRefs"]
    assert (parent["kind"], parent["port"]) == ("ServiceEntry", 80)
    (backend,) = route.spec["rules"][0]["backendRefs"]
    assert (backend["kind"], backend["name"]) == ("Hostname", "a.com")
    assert backend["port"] != parent["port"]


def test_a_wildcard_by_tls_goes_through_the_gateway() -> None:
    """The names of a wildcard went around the gateway."""
    values = _destination(
        hosts=["*.example.com"],
        servedBy="edge.example.com",
        cidrs=["8.8.8.0/24"],
        ports={"https": {"port": 443, "protocol": "TLS"}},
    )
    plan = plan_of(values)
    assert set(doors(plan).values()) == {("*.example.com", 443)}
    assert set(mesh_reaches(plan)) == entries_show(plan)


def test_an_authorizer_is_asked_at_the_ports_of_its_destinations_only() -> None:
    """Another group's requests were shown to an authorizer, or this group's were not."""
    values = _destination(authorizer="judge")
    values["egress"]["mesh"]["authorizers"] = {"judge": {"namespace": "monitoring", "service": "judge", "port": 9000}}
    values["destinations"]["other"] = _destination(hosts=["b.com"], clients={"shop": {"everyone": True}})[
        "destinations"
    ]["only"]
    plan = plan_of(values)
    (asked,) = (
        item for item in of_kind(plan.egress_gateway, "AuthorizationPolicy") if item.spec.get("action") == "CUSTOM"
    )
    ports = {place[0]: door.port for door, place in doors(plan).items()}
    assert asked.spec["rules"] == [{"to": [{"operation": {"ports": [f"{ports['a.com']}"]}}]}]


def _serves(route: KubeObject, host: str) -> bool:
    return host in route.spec.get("hostnames", [])
