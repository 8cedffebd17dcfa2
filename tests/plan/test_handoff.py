"""The hand-off to firewall teams: version 2 of its structure."""

from typing import Any

import pytest

from components.plan.handoff import VERSION, with_addresses
from tests.every_cloud_key import ANSWERABLE, VARIANTS, flannel_values
from tests.plan.offered import JWT, OIDC, calling, exposed_values, moved
from tests.support import changed, dev_values, full_values, plan_of, setting

_EDITION = {
    "name": "edition-cnn",
    "gateway": None,
    "hosts": ["edition.cnn.com"],
    "cidrs": None,
    "ports": [{"port": 80, "protocol": "HTTP"}, {"port": 443, "protocol": "TLS"}],
    "clients": ["news/reader", "shop/storefront"],
    "withoutGateway": [],
    "owner": "team-news",
    "ticket": "FW-1042",
    "expires": "2029-12-31",
}
_HTTPBIN = {
    "name": "httpbin",
    "gateway": "default",
    "hosts": ["httpbin.org"],
    "cidrs": None,
    "ports": [{"port": 80, "protocol": "HTTP"}],
    "offeredAs": ["httpbin.org"],
    "owner": "team-platform",
    "ticket": "FW-1044",
    "expires": "2029-12-31",
}
_N9E = {
    "name": "n9e",
    "gateway": "default",
    "hosts": [],
    "cidrs": ["172.139.20.181/32", "172.139.20.183/32"],
    "ports": [{"port": 17000, "protocol": "HTTP"}],
    "offeredAs": ["n9e.jiaxzeng.com"],
    "owner": "team-observability",
    "ticket": "FW-1043",
    "expires": "2029-12-31",
}


def test_version_2_has_exactly_this_structure() -> None:
    """A key was renamed, dropped or added, and the firewall teams' tools read it wrongly: raise the version."""
    assert VERSION == 2
    assert plan_of(dev_values()).handoff == {
        "version": 2,
        "stack": "test",
        "cluster": "dev",
        "posture": "enforce",
        "sources": {"mode": "existing", "cidrs": ["203.0.113.10/32", "203.0.113.11/32"]},
        "gateways": [],
        "destinations": [_EDITION],
        "fetched": [],
        "backendGateways": [
            {
                "name": "default",
                "cidrs": ["203.0.113.10/32", "203.0.113.11/32"],
                "exposure": "inside",
                "callers": [],
                "ports": [80],
            }
        ],
        "backends": [_HTTPBIN, _N9E],
        "planned": [],
    }


def test_declared_addresses_stand_in_the_handoff() -> None:
    """The firewall team was told to open every address although the declaration names a few."""
    handoff = plan_of(full_values()).handoff
    assert handoff["destinations"][0]["cidrs"] == ["151.101.0.0/22", "2a04:4e42::/32"]
    assert handoff["backends"][0]["cidrs"] == ["44.192.0.0/16"]


def test_without_backends_the_list_is_empty_and_there() -> None:
    """A reader failed on a missing key."""
    handoff = plan_of(changed(lambda values: values.pop("backends"))).handoff
    assert handoff["backends"] == handoff["backendGateways"] == handoff["fetched"] == []


def test_observe_names_what_it_holds_back() -> None:
    """Under `observe` the structure was another one."""
    handoff = plan_of(changed(setting("egress.posture", "observe"))).handoff
    assert handoff["posture"] == "observe"
    assert handoff["planned"] == [
        "NetworkPolicy envoy-gateway-system/cluster-egress",
        "NetworkPolicy envoy-gateway-system/control-plane",
        "NetworkPolicy envoy-gateway-system/proxies",
        "NetworkPolicy istio-egress/egress-gateway",
        "NetworkPolicy istio-system/control-plane",
        "NetworkPolicy news/cluster-egress",
        "NetworkPolicy shop/cluster-egress",
    ]


def test_the_first_gateway_may_have_addresses_of_its_own() -> None:
    """The firewall team let in addresses from which nothing came."""
    own = {"mode": "existing", "cidrs": ["198.51.100.7/32"]}
    handoff = plan_of(changed(setting("egress.mesh.gateway", {"addresses": own}))).handoff
    assert handoff["sources"]["cidrs"] == ["198.51.100.7/32"]


def test_what_nodes_fetch_stands_in_the_handoff() -> None:
    """Nodes could not pull images, because the firewall team never heard of the registry."""
    fetched = plan_of(flannel_values()).handoff["fetched"]
    assert [each for each in fetched if each["by"] == "nodes"] == [
        {
            "name": "mirror",
            "by": "nodes",
            "gateway": None,
            "hosts": ["mirror.example.com"],
            "cidrs": ["93.184.216.0/28"],
            "ports": [{"port": 5000, "protocol": "TLS"}],
            **ANSWERABLE,
        },
        {
            "name": "registry",
            "by": "nodes",
            "gateway": None,
            "hosts": ["registry.example.net"],
            "cidrs": None,
            "ports": [{"port": 443, "protocol": "TLS"}],
            **ANSWERABLE,
        },
    ]


def _connected(cidrs: list[str] | None) -> dict[str, list[str]]:
    return {} if cidrs is None else {"connected": cidrs}


@pytest.mark.parametrize(
    ("variant", "cidrs"),
    [
        ("flannel", None),
        ("terway", None),
        ("pod-vswitches", ["10.244.8.0/24", "10.244.9.0/24"]),
        ("host-network", ["192.168.0.128/26", "192.168.0.64/26"]),
    ],
)
def test_addresses_that_are_created_stand_in_the_handoff(variant: str, cidrs: list[str] | None) -> None:
    """The firewall team let in other addresses than those that are created; elastic ones only the cloud knows."""
    values = VARIANTS[variant]()
    mode = values["egress"]["addresses"]["mode"]
    sources = plan_of(values).handoff["sources"]
    connected = {"flannel": ["192.168.0.128/26", "192.168.0.64/26"], "terway": ["10.244.8.0/24", "10.244.9.0/24"]}
    assert sources == {"mode": mode, "cidrs": cidrs} | _connected(connected.get(variant))


def test_gateways_of_backends_say_both_sides() -> None:
    """The firewall team let in, for a backend, addresses from which nothing came, or never heard who calls."""
    handoff = plan_of(exposed_values()).handoff
    assert handoff["backendGateways"] == [
        {
            "name": "default",
            "cidrs": ["203.0.113.10/32", "203.0.113.11/32"],
            "exposure": "inside",
            "callers": [],
            "ports": [80],
        },
        {
            "name": "partners",
            "cidrs": ["203.0.113.20/32"],
            "exposure": "intranet",
            "callers": ["10.30.0.0/16"],
            "ports": [443],
        },
    ]
    assert [each["gateway"] for each in handoff["backends"]] == ["partners", "default"]


def test_what_is_fetched_says_by_whom_and_who_answers_for_it() -> None:
    """Keys and tokens came from hosts that no firewall let through, and nobody knew whose they were."""
    values = calling("n9e", {"oidc": OIDC})
    values["backends"]["httpbin"] |= {"access": {"jwt": JWT}, "owner": "team-news", "ticket": "FW-1043"}
    answers = {"owner": "team-observability", "ticket": "FW-1043", "expires": "2029-12-31"}
    keys = {"hosts": ["keys.example.com"], "cidrs": ["93.184.216.0/24"], "ports": [{"port": 8443, "protocol": "TLS"}]}
    login = {"hosts": ["login.example.com"], "cidrs": None, "ports": [{"port": 443, "protocol": "TLS"}]}
    assert plan_of(values).handoff["fetched"] == [
        {"name": "httpbin", "by": "proxies", "gateway": "default", **keys, **answers, "owner": "team-news"},
        {"name": "n9e", "by": "envoy-gateway", "gateway": None, **login, **answers},
        {"name": "n9e", "by": "proxies", "gateway": "default", **login, **answers},
    ]


def test_what_istiod_fetches_is_there_as_well() -> None:
    """As above, for the keys of an issuer of the mesh."""
    issuer = {"issuer": "https://sso.example.com", "audiences": ["egress"], "jwksUri": "https://sso.example.com/keys"}
    values = changed(setting("egress.mesh.issuers", {"corp": {**issuer, "cidrs": ["93.184.216.0/24"]}}))
    assert plan_of(values).handoff["fetched"] == [
        {
            "name": "corp",
            "by": "istiod",
            "gateway": None,
            "hosts": ["sso.example.com"],
            "cidrs": ["93.184.216.0/24"],
            "ports": [{"port": 443, "protocol": "TLS"}],
        }
    ]


@pytest.mark.parametrize(
    ("more", "spoken"),
    [
        ({}, "HTTP"),
        ({"tls": {"serverName": "n9e.example.com"}}, "TLS"),
        ({"protocol": "GRPC"}, "GRPC"),
        ({"protocol": "TLS"}, "TLS"),
        ({"protocol": "TLS", "certificate": {"secret": "n9e"}}, "TCP"),
    ],
)
def test_backends_say_what_they_are_spoken_to_in(more: dict[str, Any], spoken: str) -> None:
    """A firewall that looks for HTTP refused what left as TLS."""
    values = changed(lambda values: values["backends"]["n9e"].update(more))
    assert plan_of(values).handoff["backends"][1]["ports"] == [{"port": 17000, "protocol": spoken}]


def test_a_service_in_the_cluster_needs_nothing_outside() -> None:
    """A backend that has moved into the cluster was asked for as `any public address`."""
    backend = plan_of(changed(moved)).handoff["backends"][1]
    assert (backend["hosts"], backend["cidrs"], backend["ports"]) == ([], [], [])


def test_addresses_that_the_cloud_gives_are_filled_in_where_they_are_meant() -> None:
    """A firewall team was told of no address; or addresses of ours stood where a host's own are unknown."""
    own = {"name": "partners", "cidrs": ["203.0.113.20/32"]}
    planned = {
        "sources": {"mode": "nat", "cidrs": None},
        "gateways": [{"name": "second", "cidrs": None}, own],
        "backendGateways": [{"name": "default", "cidrs": None, "ports": [80]}],
        "destinations": [{"name": "edition-cnn", "cidrs": None}],
    }
    known = with_addresses(planned, ["198.51.100.7/32"])
    assert known == {
        "sources": {"mode": "nat", "cidrs": ["198.51.100.7/32"]},
        "gateways": [{"name": "second", "cidrs": ["198.51.100.7/32"]}, own],
        "backendGateways": [{"name": "default", "cidrs": ["198.51.100.7/32"], "ports": [80]}],
        "destinations": [{"name": "edition-cnn", "cidrs": None}],
    }
    assert with_addresses(planned, None) == planned
