"""What the proxies of backends' Gateways log and trace, and where it goes."""

import json
from typing import Any

import pytest

from components.plan.mesh.telemetry import TRACE_HEADERS
from components.plan.offers.telemetry import collectors, log_receivers, untrusted_headers
from tests.support import Values, changed, dev_values, of_kind, plan_of, setting, settings_of

_TRACING = {"namespace": "monitoring", "service": "spans", "percent": 5}
_LOGS = {"namespace": "monitoring", "service": "logs", "port": 4320}


def _with(access_log: dict[str, Any], values: Values | None = None) -> Values:
    gateway: dict[str, Any] = {"accessLog": access_log}
    if "socket" in access_log:
        gateway["helpers"] = {"logger": {"image": "registry.example.com/logger:1"}}
    return changed(setting("backendGateways", {"default": gateway}), values)


def _telemetry(values: Values) -> dict[str, Any]:
    (proxy,) = of_kind(plan_of(values).envoy_gateway, "EnvoyProxy")
    return proxy.spec["telemetry"]


def _sinks(values: Values) -> list[str]:
    return [sink["type"] for each in _telemetry(values)["accessLog"]["settings"] for sink in each["sinks"]]


def test_by_default_logs_are_json_on_standard_output() -> None:
    """Nobody knew who had called a backend."""
    (setting_,) = _telemetry(dev_values())["accessLog"]["settings"]
    assert setting_["format"]["type"] == "JSON"
    assert setting_["sinks"] == [{"type": "File", "file": {"path": "/dev/stdout"}}]


def test_no_field_of_a_log_holds_a_query_or_a_credential() -> None:
    """Tokens of queries and headers stood in the logs, for everyone who reads logs."""
    (setting_,) = _telemetry(dev_values())["accessLog"]["settings"]
    fields = setting_["format"]["json"]
    assert {"downstream_remote_address", "token_subject", "route_name", "upstream_host", "response_flags"} <= set(
        fields
    )
    assert fields["path"].startswith("%REQ_WITHOUT_QUERY(")
    assert fields["gateway"] == "cluster-egress"
    text = json.dumps(list(fields.values())).upper()
    for secret in (
        "AUTHORIZATION",
        "COOKIE",
        "REQ(:PATH",
        "REQ(X-ENVOY-ORIGINAL-PATH",
        "API-KEY",
        "REFERER",
        "JWT_AUTHN)",
    ):
        assert secret not in text


def test_logs_go_where_they_are_asked_for_and_nowhere_else() -> None:
    """Logs that were for a collector alone stood on standard output too, or were lost."""
    assert _sinks(_with({"stdout": False, "collector": _LOGS})) == ["OpenTelemetry"]
    assert _sinks(_with({"stdout": False, "socket": "logger"})) == ["ALS"]
    assert _sinks(_with({"collector": _LOGS, "socket": "logger"})) == ["File", "OpenTelemetry", "ALS"]


def test_a_collector_is_a_service_by_its_own_port() -> None:
    """Logs were sent to a Service of that name in Envoy Gateway's namespace."""
    (setting_,) = _telemetry(_with({"stdout": False, "collector": _LOGS}))["accessLog"]["settings"]
    (reference,) = setting_["sinks"][0]["openTelemetry"]["backendRefs"]
    assert reference == {"group": "", "kind": "Service", "name": "logs", "namespace": "monitoring", "port": 4320}


def test_a_helper_is_reached_by_its_socket_alone() -> None:
    """The Backend of a log led to another helper, who learned of every request."""
    settings = settings_of(_with({"socket": "logger"}))
    (receiver,) = log_receivers(settings, "default")
    assert receiver.spec["endpoints"] == [{"unix": {"path": "/var/run/cluster-egress/logger/socket"}}]
    (sink,) = [each["sinks"][0] for each in _telemetry(_with({"socket": "logger"}))["accessLog"]["settings"][1:]]
    assert sink["als"]["backendRefs"] == [{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": receiver.name}]
    assert list(log_receivers(settings_of(dev_values()), "default")) == []


def test_spans_are_asked_for_where_the_mesh_has_them() -> None:
    """A trace ended before the backend, or began where nobody wanted any."""
    assert "tracing" not in _telemetry(dev_values())
    tracing = _telemetry(changed(setting("egress.mesh.tracing", _TRACING)))["tracing"]
    assert tracing["samplingRate"] == 5
    assert tracing["provider"]["backendRefs"][0]["name"] == "spans"
    assert tracing["tags"]["http.url"].endswith("%PATH(NQ)%")
    assert "clientSamplingFraction" not in tracing


def test_no_callers_trace_goes_on() -> None:
    """A caller decided what is traced, and hosts outside were told of the callers' traces."""
    assert untrusted_headers(settings_of(dev_values())) == ()
    traced = settings_of(changed(setting("egress.mesh.tracing", _TRACING)))
    assert untrusted_headers(traced) == TRACE_HEADERS


def test_what_proxies_send_to_is_said_for_networks() -> None:
    """The proxies' NetworkPolicy had no way to the collectors."""
    values = changed(setting("egress.mesh.tracing", _TRACING), _with({"collector": _LOGS}))
    found = collectors(settings_of(values), "default")
    assert {what: each.service for what, each in found.items()} == {"logs": "logs", "spans": "spans"}
    assert collectors(settings_of(dev_values()), "default") == {}


@pytest.mark.parametrize("gateway", ["default", "edge"])
def test_each_gateway_is_known_by_its_name(gateway: str) -> None:
    """The spans of two Gateways could not be told apart."""
    declared: dict[str, Any] = {"default": {"replicas": 2}, "edge": {"accessLog": {"collector": _LOGS}}}
    values = changed(setting("backendGateways", declared))
    values = changed(setting("egress.mesh.tracing", _TRACING), values)
    values["backends"]["n9e"]["gateway"] = "edge"
    proxies = {each.name: each for each in of_kind(plan_of(values).envoy_gateway, "EnvoyProxy")}
    own = "cluster-egress" if gateway == "default" else "cluster-egress-edge"
    name = proxies[own].spec["telemetry"]["tracing"]["provider"]["serviceName"]
    assert name == f"{own}.envoy-gateway-system"
