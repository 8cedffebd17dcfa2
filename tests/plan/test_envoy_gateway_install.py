"""Envoy Gateway's own values: what it may do and read, and how others reach it; and the hosts of the mesh."""

from typing import Any

import pytest

from components.plan import KubeObject
from tests.every_offer_key_gateways import gateway_values
from tests.support import Change, Values, changed, dev_values, plan_of, setting

_MOVED = {"service": {"namespace": "monitoring", "name": "n9e", "port": 80}}


def _values(values: Values) -> Any:
    plan = plan_of(values).envoy_gateway
    assert plan is not None
    return plan.release.values


def _config(values: Values) -> Any:
    return _values(values)["config"]["envoyGateway"]


def _moved(values: Values) -> Values:
    """`values` with every backend in the cluster."""
    for backend in values["backends"].values():
        del backend["endpoints"]
        backend.update(_MOVED)
    return values


def test_the_backend_api_is_on_only_where_something_needs_it() -> None:
    """Guards against a switch that stays on when the last Backend has become a Service."""
    assert _config(dev_values())["extensionApis"] == {"enableBackend": True}
    assert "extensionApis" not in _config(_moved(dev_values()))


@pytest.mark.parametrize(
    "change",
    [
        _moved,
        setting("backends.n9e.certificate", {"secret": "n9e-tls", "namespace": "monitoring"}),
        setting(
            "backends.n9e.access",
            {"external": {"service": {"namespace": "monitoring", "service": "opa", "port": 9191, "protocol": "GRPC"}}},
        ),
        setting(
            "backendGateways",
            {"default": {"accessLog": {"collector": {"namespace": "monitoring", "service": "otel"}}}},
        ),
    ],
    ids=["a Service", "a certificate", "an authorizer", "a collector"],
)
def test_it_reads_only_the_namespaces_to_which_it_is_led(change: Change) -> None:
    """Guards against a controller that reads every Secret of the cluster, which is the chart's default."""

    def watched(values: Values) -> Any:
        return _config(values)["provider"]["kubernetes"]["watch"]

    assert watched(dev_values()) == {"type": "Namespaces", "namespaces": ["envoy-gateway-system"]}
    led = {"type": "Namespaces", "namespaces": ["envoy-gateway-system", "monitoring"]}
    assert watched(changed(change)) == led


def test_sidecars_pass_the_control_port_on_as_tls() -> None:
    """Guards against a sidecar that takes Envoy Gateway's own mutual TLS for plain gRPC, and cuts it."""
    ports = _values(gateway_values(dev_values()))["deployment"]["ports"]
    assert {each["name"]: (each["port"], each.get("appProtocol")) for each in ports} == {
        "grpc": (18000, "tls"),
        "ratelimit": (18001, None),
        "wasm": (18002, None),
        "metrics": (19001, None),
    }
    assert "ports" not in _values(dev_values())["deployment"]


def test_proxies_that_count_together_refuse_without_redis() -> None:
    """Guards against limits that end when Redis does."""
    values = gateway_values(dev_values())
    limit = _config(values)["rateLimit"]
    assert limit["failClosed"] is True
    url = "redis.monitoring.svc.cluster.local:6380"
    assert limit["backend"] == {"type": "Redis", "redis": {"url": url}}
    assert _config(values)["provider"]["kubernetes"]["rateLimitDeployment"]["replicas"] == 2
    assert "rateLimit" not in _config(dev_values())


def test_sidecars_are_offered_one_port_for_all_listeners_on_it() -> None:
    """Guards against a ServiceEntry with a port twice, which istiod refuses whole."""
    spec = _offers(gateway_values(dev_values()))["cluster-egress-partners"].spec
    assert spec["ports"] == [
        {"number": 80, "name": "http-80", "protocol": "HTTP", "targetPort": 10080},
        {"number": 443, "name": "tls-443", "protocol": "TLS", "targetPort": 10443},
    ]
    assert spec["hosts"] == [
        "api.shop.example.com",
        "opened.example.com",
        "sealed.example.com",
        "www.shop.example.com",
    ]


def test_a_gateway_of_tcp_alone_offers_the_mesh_no_hosts() -> None:
    """Guards against a ServiceEntry without hosts, which istiod refuses, and against TCP under others' names."""
    offers = {"cluster-egress", "cluster-egress-partners", "cluster-egress-partners.grpc"}
    assert set(_offers(gateway_values(dev_values()))) == offers
    values = changed(setting("backends.ledger.gateway", "default"), gateway_values(dev_values()))
    del values["backendGateways"]["tcp"]
    assert [port["number"] for port in _offers(values)["cluster-egress"].spec["ports"]] == [80]


def test_sidecars_speak_http2_to_hosts_of_grpc_and_to_no_other() -> None:
    """Guards against HTTP/1.1 to a Gateway, by which a call's status never comes back, on ports that HTTP has too."""
    values = gateway_values(dev_values())
    values["backends"]["calls"] |= {"gateway": "default", "port": 80}
    del values["backends"]["calls"]["certificate"]
    offers = _offers(values)
    calls, others = offers["cluster-egress.grpc"].spec, offers["cluster-egress"].spec
    assert calls["hosts"] == ["calls.example.com"]
    assert calls["ports"] == [{"number": 80, "name": "grpc-80", "protocol": "GRPC", "targetPort": 10080}]
    assert others["hosts"] == ["httpbin.org", "n9e.jiaxzeng.com"]
    assert others["ports"] == [{"number": 80, "name": "http-80", "protocol": "HTTP", "targetPort": 10080}]
    assert {key: calls[key] for key in calls.keys() - {"hosts", "ports"}} == {
        key: others[key] for key in others.keys() - {"hosts", "ports"}
    }


def _offers(values: Values) -> dict[str, KubeObject]:
    plan = plan_of(values).backends
    assert plan is not None
    return {each.name: each for each in plan.offers}
