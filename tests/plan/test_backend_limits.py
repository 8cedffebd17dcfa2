"""How a backend is asked, and how much: what its BackendTrafficPolicies say."""

from typing import Any

import pytest

from components.plan.objects import KubeObject
from components.plan.offers.traffic import traffic_policies
from tests.every_offer_key_access import access_backends, access_values, backend
from tests.support import changed, setting, settings_of


def _policies(**more: Any) -> dict[str, KubeObject]:
    values = changed(setting("backends", {"one": backend("one", public="x", **more)}))
    if "together" in str(more):
        values["install"] = {"envoyGateway": {"redis": {"namespace": "monitoring", "service": "redis"}}}
    settings = settings_of(values)
    assert settings.backends is not None
    return {
        each.name: each
        for each in traffic_policies(settings, "one", settings.backends["one"], cluster_domain="cluster.local")
    }


def _spec(**more: Any) -> dict[str, Any]:
    """The spec of the one policy, less what it targets."""
    (policy,) = _policies(**more).values()
    return {key: value for key, value in policy.spec.items() if key != "targetRefs"}


def test_another_protocol_has_policies_of_its_own() -> None:
    """A policy moved on to the new route, and the old one was open until it was deleted."""
    limits = {"limits": {"requests": {"flood": {"requests": 3, "per": "second"}}}}
    assert list(_policies(**limits)) == ["one"]
    assert list(_policies(**limits, protocol="GRPC")) == ["one.grpc.route"]


def test_what_asks_for_nothing_has_no_policy() -> None:
    """A policy without settings would still take the place of whatever holds for the Gateway."""
    assert _policies() == {}
    assert _policies(routes={"rest": {"methods": ["GET"]}}) == {}


def test_every_key_is_in_the_policies() -> None:
    """A key was read and never used."""
    values = changed(setting("backends", access_backends()))
    access_values(values)
    settings = settings_of(values)
    assert settings.backends is not None
    found = {
        name: set(policy.spec) - {"targetRefs"}
        for name, each in settings.backends.items()
        for policy in traffic_policies(settings, name, each, cluster_domain="cluster.local")
    }
    assert found == {
        "tokens": {"rateLimit", "requestBuffer"},
        "passwords": {"circuitBreaker", "timeout", "healthCheck"},
        "helped": {"healthCheck"},
        "asked": {"healthCheck"},
    }


def test_connections_are_limited() -> None:
    """Limits of connections were read and never used."""
    connections = {
        "maxConnections": 1,
        "connectTimeout": "2s",
        "maxPendingRequests": 3,
        "maxRequestsPerConnection": 4,
        "maxParallelRequests": 5,
        "idleTimeout": "6s",
    }
    assert _spec(connections=connections) == {
        "circuitBreaker": {
            "maxConnections": 1,
            "maxPendingRequests": 3,
            "maxParallelRequests": 5,
            "maxRequestsPerConnection": 4,
        },
        "timeout": {"tcp": {"connectTimeout": "2s"}, "http": {"connectionIdleTimeout": "6s"}},
    }


@pytest.mark.parametrize(
    ("more", "question"),
    [
        (
            {"healthCheck": {"path": "/healthz"}},
            {
                "type": "HTTP",
                "http": {
                    "path": "/healthz",
                    "method": "GET",
                    "expectedStatuses": [200],
                    "hostname": "one.offers.example.com",
                },
            },
        ),
        (
            {"healthCheck": {"path": "/healthz"}, "routes": {"all": {"rewrite": {"host": "inside.example.com"}}}},
            {
                "type": "HTTP",
                "http": {
                    "path": "/healthz",
                    "method": "GET",
                    "expectedStatuses": [200],
                    "hostname": "inside.example.com",
                },
            },
        ),
        ({"healthCheck": {"interval": "5s"}, "protocol": "GRPC"}, {"type": "GRPC", "grpc": {}}),
        ({"healthCheck": {"interval": "5s"}, "protocol": "TLS"}, {"type": "TCP", "tcp": {}}),
    ],
)
def test_endpoints_are_asked_in_their_own_protocol(more: dict[str, Any], question: dict[str, Any]) -> None:
    """A check that endpoints do not understand finds all of them unwell, as does one for another host."""
    usual = {"interval": "5s", "timeout": "1s", "unhealthyThreshold": 3, "healthyThreshold": 1}
    assert _spec(**more)["healthCheck"] == {"active": {**usual, **question}}


def test_a_service_behind_a_sidecar_is_asked_by_its_own_name() -> None:
    """The sidecar knew the hostname as the Gateway's own, and asked the Gateway whether the Service was well."""
    for in_mesh, host in ((True, "orders.monitoring.svc.cluster.local"), (False, "one.offers.example.com")):
        declared = backend("one", public="x", healthCheck={"path": "/healthz"})
        del declared["endpoints"]
        declared["service"] = {"namespace": "monitoring", "name": "orders", "port": 80}
        values = changed(setting("backends", {"one": declared}))
        values["backendGateways"] = {"default": {"inMesh": in_mesh}}
        settings = settings_of(values)
        assert settings.backends is not None
        (policy,) = traffic_policies(settings, "one", settings.backends["one"], cluster_domain="cluster.local")
        assert policy.spec["healthCheck"]["active"]["http"]["hostname"] == host


def test_what_fails_is_left_alone() -> None:
    """Outliers were read and never used; without a share of its own Envoy Gateway leaves alone 10 in a hundred."""
    assert _spec(outliers={"consecutiveErrors": 3})["healthCheck"] == {
        "passive": {
            "consecutive5XxErrors": 3,
            "interval": "10s",
            "baseEjectionTime": "30s",
            "maxEjectionPercent": 50,
        }
    }


def test_every_limit_of_a_proxy_holds() -> None:
    """A rule that selects nobody counts what no other rule does, so the second limit was never reached."""
    limits = {"a": {"requests": 5, "per": "second"}, "b": {"requests": 100, "per": "minute"}}
    everything = [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert _spec(limits={"requests": limits})["rateLimit"] == {
        "local": {
            "rules": [
                {"clientSelectors": everything, "limit": {"requests": 5, "unit": "Second"}},
                {"clientSelectors": everything, "limit": {"requests": 100, "unit": "Minute"}},
            ]
        }
    }


def test_both_kinds_of_counting_stand_side_by_side() -> None:
    """One kind displaced the other; and a count of its own for each hostname lets in a multiple."""
    limits = {
        "all": {"requests": 9, "per": "day", "counted": "together"},
        "caller": {"requests": 5, "per": "hour", "counted": "together", "each": "caller-address"},
        "proxy": {"requests": 5, "per": "second"},
        "tenant": {"requests": 7, "per": "hour", "counted": "together", "eachHeader": "x-tenant"},
    }
    found = _spec(limits={"requests": limits})["rateLimit"]
    assert len(found["local"]["rules"]) == 1
    assert [rule.get("clientSelectors") for rule in found["global"]["rules"]] == [
        None,
        [{"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}],
        [{"sourceCIDR": {"type": "Distinct", "value": "::/0"}}],
        [{"headers": [{"name": "x-tenant", "type": "Distinct"}]}],
    ]
    assert all(rule["shared"] for rule in found["global"]["rules"])


def test_bodies_are_limited() -> None:
    """The limit was read and never used."""
    assert _spec(limits={"bodyBytes": 1000}) == {"requestBuffer": {"limit": "1000"}}


_SLOW = {"paths": ["/slow/*"], "timeout": "60s", "retries": {"attempts": 2, "perTryTimeout": "20s", "codes": [503]}}


def test_a_rule_of_its_own_keeps_what_holds_for_all() -> None:
    """A rule's policy takes the place of the route's, so limits did not hold for a rule with a timeout."""
    found = _policies(
        routes={"slow": _SLOW, "rest": {"methods": ["GET"]}},
        limits={"bodyBytes": 1000},
        connections={"idleTimeout": "5m"},
    )
    assert {name: each.spec["targetRefs"][0].get("sectionName") for name, each in found.items()} == {
        "one": None,
        "one.slow": "slow",
    }
    assert found["one.slow"].spec["requestBuffer"] == found["one"].spec["requestBuffer"]
    assert found["one.slow"].spec["timeout"] == {"http": {"connectionIdleTimeout": "5m", "requestTimeout": "60s"}}
    assert "retry" not in found["one"].spec


def test_what_redirects_keeps_the_limits_where_every_other_rule_has_its_own() -> None:
    """Whoever asked for what is elsewhere now was counted by nobody."""
    routes = {
        "a": {"paths": ["/a/*"], "timeout": "6s"},
        "b": {"timeout": "5s"},
        "moved": {"paths": ["/old"], "redirect": {"path": "/b"}},
    }
    limits = {"requests": {"each": {"requests": 3, "per": "second"}}}
    assert set(_policies(routes=routes, limits=limits)) == {"one", "one.a", "one.b"}
    del routes["moved"]
    assert set(_policies(routes=routes, limits=limits)) == {"one.a", "one.b"}


def test_retries_are_what_was_asked_for() -> None:
    """Envoy Gateway's own triggers were added, or the codes were listed without the trigger that reads them."""
    (policy,) = _policies(routes={"slow": _SLOW}).values()
    assert policy.name == "one"
    assert policy.spec["retry"] == {
        "numRetries": 2,
        "retryOn": {
            "triggers": ["connect-failure", "refused-stream", "reset", "retriable-status-codes"],
            "httpStatusCodes": [503],
        },
        "perRetry": {"timeout": "20s"},
    }


def test_rules_that_are_alike_share_one_policy() -> None:
    """Each policy counts apart, so two policies let in twice as much."""
    assert list(_policies(routes={"a": {"paths": ["/a/*"], "timeout": "5s"}, "b": {"timeout": "5s"}})) == ["one"]


def test_proxies_prefer_their_own_zone() -> None:
    """With fewer than six endpoints Envoy prefers nothing, unless it is told to."""
    values = changed(setting("backends.n9e.endpoints.0.zone", "cn-hangzhou-h"))
    values["backends"]["n9e"]["endpoints"][1]["zone"] = "cn-hangzhou-i"
    settings = settings_of(values)
    assert settings.backends is not None
    (policy,) = traffic_policies(settings, "n9e", settings.backends["n9e"], cluster_domain="cluster.local")
    assert policy.spec["loadBalancer"]["zoneAware"] == {"preferLocal": {"minEndpointsThreshold": 1, "force": {}}}
