"""Every way of calling a backend, and every limit, as the real Envoy Gateway and Envoy understand them."""

from pathlib import Path

import pytest

from tests.every_offer_key_access import access_backends, access_values, backend
from tests.offline_gateway import Translated, translate, validate
from tests.offline_objects import backend_objects
from tests.support import Values, changed, setting

_NO_HMAC = "SecurityPolicy logins: Accepted: OIDC: HMAC secret /envoy-oidc-hmac not found."
"""`egctl` looks for Envoy Gateway's own Secret in no namespace, so logins are shown on the test bed only."""
_GATEWAY = "envoy-gateway-system/cluster-egress"


def _values() -> Values:
    values = changed(setting("backends", access_backends()))
    access_values(values)
    values["backends"]["sql"] = backend("sql", clientCidrs=["10.20.0.0/16"], protocol="TCP", port=5432)
    del values["backends"]["sql"]["hostnames"]
    values["backends"]["tokens"]["routes"] = {"all": {"retries": {"attempts": 2}, "timeout": "60s"}}
    return values


@pytest.fixture(scope="module")
def translated(egctl: Path, tmp_path_factory: pytest.TempPathFactory) -> Translated:
    """What Envoy Gateway makes of all of them at once."""
    return translate(egctl, backend_objects(_values()), _GATEWAY, tmp_path_factory.mktemp("all"))


def test_every_policy_is_accepted(translated: Translated) -> None:
    """A policy was refused in the cluster only, where it makes every request fail, or none."""
    assert translated.refused == ()
    assert set(translated.false) == {_NO_HMAC}
    planned = {
        (each["kind"], each["metadata"]["name"])
        for each in backend_objects(_values())
        if each["kind"] in {"SecurityPolicy", "BackendTrafficPolicy", "Backend"}
    }
    assert planned - translated.accepted == {("SecurityPolicy", "logins")}


def test_envoy_would_start_with_it(translated: Translated, envoy: Path, tmp_path: Path) -> None:
    """Envoy refuses a whole listener for one thing that it does not take, and goes on with the old one."""
    assert validate(envoy, translated.config, tmp_path) == ""


_NAMED = "/securitypolicy/envoy-gateway-system"


@pytest.mark.parametrize(
    ("name", "filters"),
    [
        ("tokens", {"jwt_authn", "rbac", "local_ratelimit", "ratelimit/envoy-gateway-system/tokens", "buffer"}),
        ("fixed-tokens", {"jwt_authn"}),
        ("keys", {"api_key_auth", "rbac"}),
        ("passwords", {f"basic_auth{_NAMED}/passwords"}),
        ("helped", {f"ext_authz{_NAMED}/helped.grpc.route"}),
        ("asked", {f"ext_authz{_NAMED}/asked"}),
    ],
)
def test_every_request_of_a_backend_meets_its_filters(translated: Translated, name: str, filters: set[str]) -> None:
    """The object was there, and the proxies asked nobody: a filter must be in the listener and in the route."""
    (route,) = translated.routes(name)
    assert {each.removeprefix("envoy.filters.http.") for each in route["typedPerFilterConfig"]} == filters
    listening = str(translated.chains(name) or translated.config["static_resources"]["listeners"])
    assert all(f"envoy.filters.http.{each}'" in listening for each in filters)


@pytest.mark.parametrize("name", ["through", "sql"])
def test_addresses_are_looked_at_before_a_connection_goes_on(translated: Translated, name: str) -> None:
    """A SecurityPolicy for TLS or TCP that attaches to nothing is accepted, and everybody is let through."""
    (chain,) = translated.chains(name)
    assert [each["name"] for each in chain] == ["envoy.filters.network.rbac", "envoy.filters.network.tcp_proxy"]
    assert "10.20.0.0" in str(chain[0])


def test_authorization_comes_last_and_counting_after_it(translated: Translated) -> None:
    """Whoever is refused must not use up what callers may ask; a key must not be compared after it is taken off."""
    (chain,) = translated.chains("tokens")
    names = [each["name"].removeprefix("envoy.filters.http.") for each in chain[0]["typedConfig"]["httpFilters"]]
    order = ["jwt_authn", "buffer", "rbac", "local_ratelimit", "ratelimit/envoy-gateway-system/tokens", "router"]
    assert [each for each in names if each in order] == order


def test_retries_timeouts_and_circuit_breakers_are_envoy_s(translated: Translated) -> None:
    """A policy attached to nothing changes nothing."""
    (route,) = translated.routes("tokens")
    assert route["route"]["timeout"] == "60s"
    assert route["route"]["retryPolicy"]["numRetries"] == 2
    assert all("retryPolicy" not in route["route"] for route in translated.routes("asked"))
    (limits,) = translated.cluster("passwords")["circuitBreakers"]["thresholds"]
    assert (limits["maxConnections"], limits["maxRequests"], limits["maxPendingRequests"]) == (100, 200, 50)
    assert translated.cluster("passwords")["outlierDetection"]["maxEjectionPercent"] == 30
    (check,) = translated.cluster("asked")["healthChecks"]
    assert check["httpHealthCheck"]["host"] == "asked.offers.example.com"
    assert "grpcHealthCheck" in translated.cluster("helped")["healthChecks"][0]


def test_without_its_secret_a_backend_answers_nobody(egctl: Path, tmp_path: Path) -> None:
    """A Secret that is not there yet, or not any more, left the route open."""
    asked = ("keys", "passwords", "logins")
    there = [
        each for each in backend_objects(_values()) if each["kind"] != "Secret" or each["metadata"]["name"] not in asked
    ]
    found = translate(egctl, there, _GATEWAY, tmp_path)
    for name in asked:
        (route,) = found.routes(name)
        assert route["directResponse"]["status"] == 500
    (route,) = found.routes("tokens")
    assert "directResponse" not in route
