"""What leaves, as Cloud Firewall recognises it: by which name or address, on which port, and from whose address."""

from typing import Any

import pytest

from components.plan.cloud.firewall import DNS, FQDN
from components.plan.cloud.traffic import traffic
from components.plan.handoff import handoff
from tests.every_cloud_key import ANSWERABLE, flannel_values, on_cloud, terway_values
from tests.every_offer_key import every_offer_values
from tests.plan.cloud_plans import decider, firewall_of, passes
from tests.plan.offered import JWT, OIDC
from tests.support import Values, dev_values, settings_of


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


@pytest.mark.parametrize(
    ("keys", "port", "spoken", "application", "mode"),
    [
        ({"tls": {"minVersion": "1.3"}, "certificate": {"secret": "a"}}, 443, "TLS", "HTTPS", FQDN),
        ({}, 80, "HTTP", "HTTP", FQDN),
        ({"applicationProtocol": "h2c"}, 80, "bytes", "ANY", DNS),
    ],
)
def test_a_resolver_s_hosts_pass_by_their_names(
    keys: dict[str, Any], port: int, spoken: str, application: str, mode: int
) -> None:
    """A backend that looks hosts up reached none of them."""
    values = _backend(hostnames=["a.example.org"], resolver={"port": port}, **keys)
    del values["backends"]["httpbin"]["endpoints"]
    policy = decider(firewall_of(values), _POD, "a.example.org", port, spoken=spoken)
    assert (policy.action, policy.application, policy.resolved_by) == ("accept", application, mode)


@pytest.mark.parametrize(("kind", "sender"), [("flannel", _NODE), ("terway", _POD)])
def test_everything_that_is_handed_off_passes(kind: str, sender: str) -> None:
    """A kind of backend, or something that is fetched, was known to firewall teams outside and not to our own."""
    values = on_cloud(every_offer_values(), kind)
    values["install"]["envoyGateway"]["redis"] = every_offer_values()["install"]["envoyGateway"]["redis"]
    values["egress"]["nodes"]["fetches"] = {"registry": {"hosts": ["registry.example.com"], **ANSWERABLE}}
    told = handoff(settings_of(values), stack="test", planned=())
    plan, asked = firewall_of(values), set[str]()
    elsewhere = {each["name"] for key in ("gateways", "backendGateways") for each in told[key] if each["cidrs"]}
    for entry in (*told["destinations"], *told["backends"], *told["fetched"]):
        if entry["gateway"] in elsewhere or entry.get("by") == "envoy-gateway":
            continue
        source = _NODE if entry.get("by") == "nodes" else sender
        places = [*entry["hosts"], *(cidr.partition("/")[0] for cidr in entry["cidrs"] or ())]
        for port in entry["ports"]:
            spoken = "TLS" if port["protocol"] == "TLS" else port["protocol"] if port["protocol"] == "HTTP" else "bytes"
            found = {passes(plan, source, place, port["port"], spoken=spoken) for place in places}
            assert "accept" in found, (entry["name"], port)
            asked.add(entry["name"])
    assert len(asked) > 10


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


@pytest.mark.parametrize(
    ("keys", "passed"),
    [
        ({"addresses": ["10.99.0.5"], "ports": {"api": {"port": 5432, "protocol": "TCP"}}}, []),
        ({"cidrs": ["10.99.0.0/28"]}, []),
        ({"cidrs": ["10.99.0.0/28", "93.184.216.0/28"]}, ["api.example.net"]),
        (
            {"cidrs": ["10.99.0.0/28", "93.184.216.0/28"], "ports": {"api": {"port": 5432, "protocol": "TCP"}}},
            ["93.184.216.0/28"],
        ),
    ],
)
def test_what_connected_networks_hold_is_nothing_to_a_firewall_at_the_nat_gateway(
    keys: dict[str, Any], passed: list[str]
) -> None:
    """Books and policies for a data centre used up what was bought, and never matched."""
    values = flannel_values()
    before = {each.place for each in traffic(settings_of(values))}
    found = {each.place for each in traffic(settings_of(_destination(values, "other", **keys)))}
    assert sorted(found - before) == passed
