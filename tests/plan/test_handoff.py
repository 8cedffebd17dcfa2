"""The hand-off to firewall teams: version 1 of its structure."""

from components.plan.handoff import VERSION
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
    "hosts": [],
    "cidrs": ["172.139.20.181/32", "172.139.20.183/32"],
    "ports": [{"port": 17000, "protocol": "HTTP"}],
    "offeredAs": ["n9e.jiaxzeng.com"],
    "owner": "team-observability",
    "ticket": "FW-1043",
    "expires": "2029-12-31",
}


def test_version_1_has_exactly_this_structure() -> None:
    """A key was renamed, dropped or added, and the firewall teams' tools read it wrongly: raise the version."""
    assert VERSION == 1
    assert plan_of(dev_values()).handoff == {
        "version": 1,
        "stack": "test",
        "cluster": "dev",
        "posture": "enforce",
        "sources": {"mode": "existing", "cidrs": ["203.0.113.10/32", "203.0.113.11/32"]},
        "gateways": [],
        "destinations": [_EDITION],
        "fetched": [],
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
    assert plan_of(changed(lambda values: values.pop("backends"))).handoff["backends"] == []


def test_observe_names_what_it_holds_back() -> None:
    """Under `observe` the structure was another one."""
    handoff = plan_of(changed(setting("egress.posture", "observe"))).handoff
    assert handoff["posture"] == "observe"
    assert handoff["planned"] == [
        "NetworkPolicy envoy-gateway-system/cluster-egress",
        "NetworkPolicy envoy-gateway-system/control-plane",
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
