"""Cloud Firewall's allowlist: exactly what is declared and leaves by the NAT gateway, and at last one for the rest."""

import ipaddress
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan.cloud.firewall import DNS, FQDN, AddressBook, FirewallPlan
from tests.declarations import declarations, large, with_host
from tests.every_cloud_key import ANSWERABLE, flannel_values, on_cloud, terway_values
from tests.plan.cloud_plans import decider, firewall_of, let_pass, passes
from tests.plan.offered import JWT, OIDC
from tests.support import Values, changed, dev_values, plan_of, setting

_TLS = {443: "HTTPS", 465: "SMTPS", 993: "IMAPS", 995: "POPS"}
_Pairs = set[tuple[str, str, str, int | None, str]]


def _sources(values: Values) -> list[str]:
    zones = values["egress"]["nodes"]["zones"].values()
    return [zone.get("pods", zone["nodes"]) for zone in zones]


def _projected(values: Values) -> _Pairs:
    """The declaration as this firewall sees it, worked out anew, with the backends of `dev`."""
    seen: set[tuple[str, str, int, str]] = set()
    for destination in values["destinations"].values():
        for host in destination["hosts"]:
            for port in destination["ports"].values():
                number = port["port"]
                if port["protocol"] == "TLS":
                    seen.add(("domain", host, number, _TLS.get(number, "SSL")))
                elif port["protocol"] == "HTTP":
                    seen.add(("domain", host, number, "HTTP"))
                elif "cidrs" in destination:
                    seen |= {("ip", cidr, number, "ANY") for cidr in destination["cidrs"]}
                else:
                    seen.add(("domain", host, number, "ANY"))
    seen |= {("ip", f"172.139.20.18{last}/32", 17000, "ANY") for last in (1, 3)}
    seen.add(("domain", "httpbin.org", 80, "ANY"))
    return {(source, *each) for source in _sources(values) for each in seen}


def _without_ipv6(values: Values) -> Values:
    for destination in values["destinations"].values():
        cidrs = [each for each in destination.get("cidrs", ()) if ":" not in each]
        destination.pop("cidrs", None)
        if cidrs:
            destination["cidrs"] = cidrs
    return values


@settings(max_examples=60, deadline=None)
@given(values=declarations(), pod_network=st.sampled_from(["flannel", "terway"]))
def test_what_passes_is_exactly_what_is_declared(values: Values, pod_network: str) -> None:
    """A host was open on another's port, or a declared one was cut off."""
    values = on_cloud(_without_ipv6(values), pod_network)
    assert set(let_pass(firewall_of(values))) == _projected(values)


@settings(max_examples=30, deadline=None)
@given(values=declarations(), books=st.integers(2, 5))
def test_splitting_books_changes_nothing_of_it(values: Values, books: int) -> None:
    """A book that overflowed lost a name, or held it twice."""
    values = on_cloud(_without_ipv6(values), "flannel")
    values["cloud"]["limits"] |= {"addressesPerBook": books, "domainsPerBook": books}
    plan = firewall_of(values)
    pairs = list(let_pass(plan))
    assert set(pairs) == _projected(values)
    assert len(pairs) == len(set(pairs))
    assert all(len(book.entries) <= books for book in plan.destinations)


@settings(max_examples=30, deadline=None)
@given(values=declarations(posture="observe"))
def test_observing_logs_what_enforcing_drops(values: Values) -> None:
    """`observe` cut something off; or promoting it made other policies than the last one change."""
    values = on_cloud(_without_ipv6(values), "terway")
    *allowed, last = firewall_of(values).policies
    *others, dropped = firewall_of(changed(setting("egress.posture", "enforce"), values)).policies
    assert allowed == others
    assert (last.action, dropped.action) == ("log", "drop")
    assert last.name == dropped.name
    assert last.order == dropped.order == len(allowed) + 1


@pytest.mark.parametrize("values", [flannel_values(), terway_values()], ids=["flannel", "terway"])
def test_the_last_policy_is_for_everything_and_no_other_is(values: Values) -> None:
    """What no policy fits passes a NAT firewall, so that without a last one nothing was shut."""
    *allowed, last = firewall_of(values).policies
    assert (last.source, last.destination, last.port) == (None, None, None)
    assert (last.protocol, last.application, last.action) == ("ANY", "ANY", "drop")
    for policy in allowed:
        assert policy.action == "accept"
        assert policy.source is not None
        assert policy.source.entries
        assert policy.destination is not None
        assert policy.destination.entries
        assert policy.port is not None
        assert policy.protocol == "TCP"


def test_orders_are_contiguous_from_one() -> None:
    """The firewall moved policies that had no place of their own."""
    plan = firewall_of(flannel_values())
    assert [policy.order for policy in plan.policies] == list(range(1, len(plan.policies) + 1))


def _destination(values: Values, name: str, **keys: Any) -> Values:
    values["destinations"][name] = {
        "hosts": ["api.example.net"],
        "ports": {"api": {"port": 443, "protocol": "TLS"}},
        "clients": {"news": {"serviceAccounts": ["reader"]}},
        **ANSWERABLE,
        **keys,
    }
    return values


_NODE, _POD, _STRANGER = "192.168.0.70", "10.244.8.7", "192.168.0.30"


@pytest.mark.parametrize(
    ("keys", "seen", "application", "mode"),
    [
        ({}, ("api.example.net", 443, "TLS"), "HTTPS", FQDN),
        ({"ports": {"a": {"port": 465, "protocol": "TLS"}}}, ("api.example.net", 465, "TLS"), "SMTPS", FQDN),
        ({"ports": {"a": {"port": 8443, "protocol": "TLS"}}}, ("api.example.net", 8443, "TLS"), "SSL", FQDN),
        ({"ports": {"a": {"port": 8080, "protocol": "HTTP"}}}, ("api.example.net", 8080, "HTTP"), "HTTP", FQDN),
        (
            {"ports": {"a": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80}}}},
            ("api.example.net", 443, "TLS"),
            "HTTPS",
            FQDN,
        ),
        (
            {"ports": {"a": {"port": 443, "protocol": "GRPC", "tls": {"clientPort": 80, "serverName": "b.example"}}}},
            ("b.example", 443, "TLS"),
            "HTTPS",
            FQDN,
        ),
        ({"ports": {"a": {"port": 50051, "protocol": "GRPC"}}}, ("api.example.net", 50051, "bytes"), "ANY", DNS),
        ({"ports": {"a": {"port": 5432, "protocol": "TCP"}}}, ("api.example.net", 5432, "bytes"), "ANY", DNS),
        (
            {"ports": {"a": {"port": 5432, "protocol": "TCP"}}, "cidrs": ["93.184.216.0/24"]},
            ("93.184.216.9", 5432, "bytes"),
            "ANY",
            None,
        ),
        (
            {"ports": {"a": {"port": 5432, "protocol": "TCP"}}, "addresses": ["93.184.216.40"]},
            ("93.184.216.40", 5432, "bytes"),
            "ANY",
            None,
        ),
        ({"hosts": ["*.example.net"], "servedBy": "www.example.net"}, ("b.example.net", 443, "TLS"), "HTTPS", FQDN),
    ],
)
def test_each_kind_is_recognised_as_it_is_on_the_wire(
    keys: dict[str, Any], seen: tuple[str, int, str], application: str, mode: int | None
) -> None:
    """A policy waited for what the firewall never sees: an SNI that nobody sends, or HTTP that is TLS."""
    plan = firewall_of(_destination(flannel_values(), "one-more", **keys))
    place, port, spoken = seen
    assert passes(plan, _NODE, place, port, spoken=spoken) == "accept"
    assert passes(plan, _NODE, place, port + 1, spoken=spoken) == "drop"
    assert passes(plan, _STRANGER, place, port, spoken=spoken) == "drop"
    policy = decider(plan, _NODE, place, port, spoken=spoken)
    assert (policy.application, policy.resolved_by) == (application, mode)


def test_names_in_the_request_are_not_known_by_address() -> None:
    """A name behind a shared content delivery network let pass whatever else is behind it."""
    plan = firewall_of(_destination(flannel_values(), "one-more", cidrs=["93.184.216.0/24"]))
    assert passes(plan, _NODE, "93.184.216.9", 443) == "drop"
    assert passes(plan, _NODE, "api.example.net", 443) == "accept"


@pytest.mark.parametrize("kind", ["flannel", "terway"])
def test_wildcards_are_never_looked_up(kind: str) -> None:
    """DNS mode has no addresses for a wildcard, so that the policy fitted nothing."""
    values = on_cloud(dev_values(), kind)
    ports = {"https": {"port": 443, "protocol": "TLS"}}
    _destination(values, "pages", hosts=["*.pages.example.net"], servedBy="www.example.net", ports=ports)
    found = [each for each in firewall_of(values).policies if each.destination and "*" in repr(each.destination)]
    assert [each.resolved_by for each in found] == [FQDN]


def test_copies_of_plain_requests_are_known_by_address() -> None:
    """A copy bears the `Host` of its original, under which nothing lets it pass to the other host."""
    values = on_cloud(dev_values(), "flannel")
    port = {"port": 8080, "protocol": "HTTP", "routing": {"mirror": {"to": "spare"}}}
    _destination(values, "original", hosts=["a.example.net"], ports={"api": port})
    _destination(values, "spare", hosts=["b.example.net"], ports={"api": {"port": 8081, "protocol": "HTTP"}})
    plan = firewall_of(values)
    (policy,) = [each for each in plan.policies if each.port == 8081]
    assert (policy.application, policy.resolved_by) == ("ANY", DNS)
    (original,) = [each for each in plan.policies if each.port == 8080]
    assert original.application == "HTTP"


def test_two_destinations_of_one_host_open_the_addresses_of_both() -> None:
    """The addresses of the second were dropped."""
    values = on_cloud(dev_values(), "flannel")
    ports = {"sql": {"port": 5432, "protocol": "TCP"}}
    clients = {"shop": {"serviceAccounts": ["storefront"]}}
    _destination(values, "one", ports=ports, cidrs=["93.184.216.0/24"])
    _destination(values, "two", ports=ports, cidrs=["93.184.217.0/24"], clients=clients)
    plan = firewall_of(values)
    assert passes(plan, _NODE, "93.184.216.9", 5432, spoken="bytes") == "accept"
    assert passes(plan, _NODE, "93.184.217.9", 5432, spoken="bytes") == "accept"


def test_with_terway_pods_send_and_nodes_do_not() -> None:
    """Whatever ran on an egress node could leave as a gateway does."""
    plan = firewall_of(terway_values())
    assert passes(plan, _POD, "edition.cnn.com", 443) == "accept"
    assert passes(plan, _NODE, "edition.cnn.com", 443) == "drop"


def test_with_terway_gateways_on_the_node_s_network_send_as_nodes() -> None:
    """A gateway with `hostNetwork` was cut off: its address is the node's."""
    values = terway_values()
    values["egress"]["mesh"] |= {"flavour": "gateway-api", "gateways": {"quick": {"hostNetwork": True}}}
    _destination(values, "one-more", gateway="quick")
    plan = firewall_of(values)
    assert passes(plan, _NODE, "api.example.net", 443) == "accept"
    assert passes(plan, _POD, "api.example.net", 443) == "drop"
    assert passes(plan, _POD, "edition.cnn.com", 443) == "accept"


@pytest.mark.parametrize("values", [flannel_values(), terway_values()], ids=["flannel", "terway"])
def test_what_nodes_fetch_passes_from_nodes(values: Values) -> None:
    """Nodes could not pull images; or the gateways could reach the registry as well."""
    values["egress"]["nodes"]["fetches"] = {"registry": {"hosts": ["registry.example.net"], **ANSWERABLE}}
    values["install"]["envoyGateway"]["imageRegistry"] = "registry.example.net"
    plan = firewall_of(values)
    assert passes(plan, _NODE, "registry.example.net", 443) == "accept"
    if "terway" in values["cloud"].values():
        assert passes(plan, _POD, "registry.example.net", 443) == "drop"


def test_gateways_with_addresses_of_their_own_leave_elsewhere() -> None:
    """What goes through another gateway's addresses was open here too."""
    values = on_cloud(dev_values(), "flannel")
    elsewhere = {
        "nodes": {"mode": "existing", "labels": {"pool": "b"}, "taints": {"b": {"effect": "NoSchedule"}}},
        "addresses": {"mode": "existing", "cidrs": ["203.0.113.20/32"]},
    }
    values["egress"]["mesh"]["gateways"] = {"partners": elsewhere}
    values["backendGateways"] = {"default": elsewhere}
    _destination(values, "one-more", gateway="partners")
    plan = firewall_of(values)
    assert passes(plan, _NODE, "api.example.net", 443) == "drop"
    assert passes(plan, _NODE, "httpbin.org", 80, spoken="bytes") == "drop"
    assert passes(plan, _NODE, "edition.cnn.com", 443) == "accept"


def _backend(**keys: Any) -> Values:
    values = terway_values()
    values["backends"]["httpbin"] |= {"endpoints": [{"fqdn": "a.example.net", "port": 8443}], **keys}
    return values


@pytest.mark.parametrize(
    ("keys", "seen"),
    [
        ({"tls": {"minVersion": "1.3"}}, ("a.example.net", 8443, "TLS")),
        ({"tls": {"serverName": "b.example.net"}}, ("b.example.net", 8443, "TLS")),
        ({}, ("a.example.net", 8443, "bytes")),
        ({"cidrs": ["93.184.216.0/24"]}, ("93.184.216.7", 8443, "bytes")),
        ({"endpoints": [{"ip": "93.184.216.7", "port": 8443}], "tls": {"serverName": "b"}}, ("93.184.216.7", 8443, "")),
        (
            {
                "outliers": {"maxPercent": 100},
                "standby": [{"fqdn": "c.example.net", "port": 9443}],
                "tls": {"serverName": "c.example.net"},
            },
            ("c.example.net", 9443, "TLS"),
        ),
        ({"access": {"jwt": JWT}, "certificate": {"secret": "a"}}, ("keys.example.com", 8443, "TLS")),
        (
            {
                "access": {
                    "oidc": {
                        **OIDC,
                        "endpoints": {
                            "authorization": "https://login.example.com/authorize",
                            "token": "https://token.example.com/token",
                        },
                    }
                },
                "certificate": {"secret": "a"},
            },
            ("token.example.com", 443, "TLS"),
        ),
    ],
)
def test_backends_and_what_their_proxies_fetch_pass(keys: dict[str, Any], seen: tuple[str, int, str]) -> None:
    """A backend was offered, and its proxies could not reach it, or could not check who calls."""
    place, port, spoken = seen
    plan = firewall_of(_backend(**keys))
    assert passes(plan, _POD, place, port, spoken=spoken) == "accept"
    assert passes(plan, _NODE, place, port, spoken=spoken) == "drop"


def test_a_resolver_s_hosts_pass_by_their_names() -> None:
    """A backend that looks hosts up reached none of them."""
    values = _backend(
        hostnames=["a.example.org"], resolver={"port": 443}, tls={"minVersion": "1.3"}, certificate={"secret": "a"}
    )
    del values["backends"]["httpbin"]["endpoints"]
    assert passes(firewall_of(values), _POD, "a.example.org", 443) == "accept"


def test_a_managed_mesh_s_control_plane_passes() -> None:
    """A gateway of ASM started, and never learned what it should do."""
    values = on_cloud(dev_values(), "terway")
    values["egress"]["mesh"] = {
        "flavour": "asm",
        "asm": {
            "context": "mesh",
            "clusterId": values["cloud"]["cluster"],
            "controlPlane": ["93.184.216.9"],
        },
    }
    del values["install"]["istio"]
    assert passes(firewall_of(values), _POD, "93.184.216.9", 15012, spoken="bytes") == "accept"


def test_an_external_firewall_is_not_ours() -> None:
    """Another vendor's firewall stood behind one of ours."""
    plan = plan_of(changed(setting("egress.firewall", {"mode": "external"}), terway_values()))
    assert plan.cloud is not None
    assert plan.cloud.firewall is None


@pytest.mark.parametrize("length", [1, 40])
def test_names_are_such_as_the_firewall_takes(length: int) -> None:
    """The firewall refused its own name: 4 to 50 letters, digits and underscores, and none of these first."""
    values = changed(setting("cluster.name", "c" * length), flannel_values())
    plan = firewall_of(values)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_]{3,49}", plan.name)
    names = [book.name for book in (*plan.sources, *plan.destinations)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]{1,63}", name) for name in names)


_MANY = 400
_BOOK = 60


@pytest.fixture(scope="module")
def many() -> Values:
    """Hundreds of hosts, in books that are full soon."""
    values = on_cloud(large(_MANY, 4), "flannel")
    values["cloud"]["limits"] |= {"domainsPerBook": _BOOK, "networkPolicies": 1000}
    return values


def _books(plan: FirewallPlan) -> dict[str, AddressBook]:
    return {book.name: book for book in (*plan.sources, *plan.destinations)}


def test_a_new_host_changes_one_book_and_no_order(many: Values) -> None:
    """Adding a destination rewrote the firewall, and so interrupted it."""
    before = firewall_of(many)
    whole = 0
    for number in range(20):
        after = firewall_of(with_host(many, "group-0-http", f"new-{number}.example.net"))
        old, new = _books(before), _books(after)
        if old.keys() == new.keys():
            whole += 1
            assert sum(old[name] != new[name] for name in old) == 1
            assert [(each.name, each.order) for each in before.policies] == [
                (each.name, each.order) for each in after.policies
            ]
    assert whole >= 15


def test_while_a_book_is_split_nothing_declared_is_cut_off() -> None:
    """Half of a book left it before the policy for where it went was in force."""
    values, splits = on_cloud(large(4, 1, kinds=("tls",)), "flannel"), 0
    values["cloud"]["limits"]["domainsPerBook"] = 4
    before = firewall_of(values)
    for number in range(40):
        values = with_host(values, "group-0-tls", f"new-{number}.example.net")
        after = firewall_of(values)
        splits += _checked_step_by_step(before, after)
        before = after
    assert splits >= 8


def _checked_step_by_step(before: FirewallPlan, after: FirewallPlan) -> bool:
    """Has books and policies of `after` come one by one, in their order, to those of `before`."""
    declared = set(let_pass(before))
    there: dict[str, _Pairs] = {each.name: _pairs(before, each.name) for each in before.policies}
    for policy in after.policies:
        there[policy.name] = _pairs(after, policy.name)
        assert declared <= set().union(*there.values()), policy.name
    return len(after.policies) > len(before.policies)


def _pairs(plan: FirewallPlan, name: str) -> _Pairs:
    (policy,) = [each for each in plan.policies if each.name == name]
    if policy.source is None or policy.destination is None:
        return set()
    kind = policy.destination.kind
    return {
        (source, kind, place, policy.port, policy.application)
        for source in policy.source.entries
        for place in policy.destination.entries
    }


def test_books_do_not_depend_on_the_order_of_the_declaration(many: Values) -> None:
    """Sorting the stack file moved hosts between books."""
    turned = {**many, "destinations": dict(reversed(many["destinations"].items()))}
    assert firewall_of(turned) == firewall_of(many)


def test_sources_are_the_vswitches_and_nothing_more() -> None:
    """Somebody else's vSwitch could leave by our policies."""
    for values in (flannel_values(), terway_values()):
        zones = values["egress"]["nodes"]["zones"].values()
        own = {ipaddress.ip_network(cidr) for zone in zones for cidr in zone.values()}
        for book in firewall_of(values).sources:
            assert {ipaddress.ip_network(each) for each in book.entries} <= own
