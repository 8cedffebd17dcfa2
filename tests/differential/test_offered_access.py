"""Every way of calling a backend, and every limit, as the real Envoy Gateway and Envoy understand them."""

from pathlib import Path
from typing import Any

import pytest

from components.plan.offers.access import access_policies
from components.plan.offers.authorizers import authorizer
from components.plan.offers.listeners import Listener, gateway_name, listeners, listeners_of
from components.plan.offers.targets import targets
from components.plan.offers.traffic import traffic_policies
from components.settings import Settings
from components.settings.offers.backends import Backend
from tests.every_offer_key_access import access_backends, access_values, backend
from tests.offline_gateway import (
    Object,
    Translated,
    as_object,
    certificate_and_key,
    secret,
    service,
    translate,
    validate,
)
from tests.support import changed, setting, settings_of

_API = "gateway.networking.k8s.io/v1"
_PASSWORD = "reader:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # noqa: S105 - of "secret", for nobody
_NO_HMAC = "SecurityPolicy logins: Accepted: OIDC: HMAC secret /envoy-oidc-hmac not found."
"""`egctl` looks for Envoy Gateway's own Secret in no namespace, so logins are shown on the test bed only."""
_KINDS = {"HTTP": "HTTPRoute", "GRPC": "GRPCRoute", "TLS": "TLSRoute", "TCP": "TCPRoute"}


def _settings() -> Settings:
    values = changed(setting("backends", access_backends()))
    access_values(values)
    values["backends"]["sql"] = backend("sql", clientCidrs=["10.0.0.0/8"], protocol="TCP", port=5432)
    del values["backends"]["sql"]["hostnames"]
    values["backends"]["tokens"]["routes"] = {"all": {"retries": {"attempts": 2}, "timeout": "60s"}}
    return settings_of(values)


def _secrets(settings: Settings) -> list[Object]:
    namespace = settings.install.envoy_gateway.namespace
    certificate, key = certificate_and_key("*.offers.example.com")
    return [
        {**secret("tls", namespace, tls__crt=certificate, tls__key=key), "type": "kubernetes.io/tls"},
        secret("keys", namespace, alice="one", bob="two"),
        secret("passwords", namespace, __htpasswd=_PASSWORD),
        secret("logins", namespace, client_secret="x"),  # noqa: S106 - nobody's
    ]


def _objects(settings: Settings) -> list[Object]:
    """The policies, with a Gateway and routes that are as plain as can be."""
    found = [_object("GatewayClass", gateway_name("default"), None, {"controllerName": _CONTROLLER})]
    namespace = settings.install.envoy_gateway.namespace
    every = [_listener(each) for each in listeners_of(settings, "default")]
    spec = {"gatewayClassName": gateway_name("default"), "listeners": every}
    found.append(_object("Gateway", gateway_name("default"), namespace, spec))
    for name, each in (settings.backends or {}).items():
        helper = authorizer(settings, name, each)
        planned = [*targets(settings, name, each), *([] if helper is None else [helper])]
        planned += [
            *access_policies(settings, name, each),
            *traffic_policies(settings, name, each, cluster_domain="cluster.local"),
        ]
        found += [as_object(one) for one in planned]
        found.append(_object(_KINDS[each.protocol], name, namespace, _route(name, each)))
    grant = {
        "from": [{"group": "gateway.envoyproxy.io", "kind": "SecurityPolicy", "namespace": namespace}],
        "to": [{"group": "", "kind": "Service", "name": "opa"}],
    }
    found.append(_object("ReferenceGrant", "opa", "monitoring", grant) | {"apiVersion": f"{_API}beta1"})
    return [*found, *service("opa", "monitoring", 9191)]


_CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"


def _object(kind: str, name: str, namespace: str | None, spec: dict[str, Any]) -> Object:
    metadata = {"name": name, **({} if namespace is None else {"namespace": namespace})}
    return {"apiVersion": _API, "kind": kind, "metadata": metadata, "spec": spec}


def _listener(listener: Listener) -> dict[str, Any]:
    found: dict[str, Any] = {"name": listener.name, "protocol": listener.protocol, "port": listener.port}
    if listener.hostname is not None:
        found["hostname"] = listener.hostname
    if listener.certificate is not None:
        found["tls"] = {"mode": "Terminate", "certificateRefs": [{"name": "tls"}]}
    elif listener.protocol == "TLS":
        found["tls"] = {"mode": "Passthrough"}
    return found


def _route(name: str, each: Backend) -> dict[str, Any]:
    reference = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name}
    return {
        "parentRefs": [{"name": gateway_name("default"), "sectionName": one.name} for one in listeners(name, each)],
        **({} if each.hostnames is None else {"hostnames": list(each.hostnames)}),
        "rules": [{"name": "all", "backendRefs": [reference]}],
    }


_GATEWAY = "envoy-gateway-system/cluster-egress"


@pytest.fixture(scope="module")
def translated(egctl: Path, tmp_path_factory: pytest.TempPathFactory) -> Translated:
    """What Envoy Gateway makes of all of them at once."""
    settings = _settings()
    return translate(egctl, [*_objects(settings), *_secrets(settings)], _GATEWAY, tmp_path_factory.mktemp("all"))


def test_every_policy_is_accepted(translated: Translated) -> None:
    """A policy was refused in the cluster only, where it makes every request fail, or none."""
    assert translated.refused == ()
    assert set(translated.false) == {_NO_HMAC}
    planned = {
        (each["kind"], each["metadata"]["name"])
        for each in _objects(_settings())
        if each["kind"] in {"SecurityPolicy", "BackendTrafficPolicy", "Backend"}
    }
    assert planned - translated.accepted == {("SecurityPolicy", "logins")}


def test_envoy_would_start_with_it(translated: Translated, tmp_path: Path) -> None:
    """Envoy refuses a whole listener for one thing that it does not take, and goes on with the old one."""
    assert validate(translated.config, tmp_path) == ""


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
    assert "10.0.0.0" in str(chain[0])


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
    settings = _settings()
    there = [each for each in _secrets(settings) if each["metadata"]["name"] == "tls"]
    found = translate(egctl, [*_objects(settings), *there], _GATEWAY, tmp_path)
    for name in ("keys", "passwords", "logins"):
        (route,) = found.routes(name)
        assert route["directResponse"]["status"] == 500
    (route,) = found.routes("tokens")
    assert "directResponse" not in route
