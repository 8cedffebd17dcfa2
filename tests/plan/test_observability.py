"""Which proxies log and trace what, and what they are told to write."""

import json
from typing import Any

import pytest

from components.plan import KubeObject, Plan
from components.plan.mesh.telemetry import CLIENT_LOG, GATEWAY_LOG, TRACES
from tests.support import Values, changed, dev_values, istio_of, of_kind, plan_of, setting

_TRACING = {"namespace": "monitoring", "service": "collector", "percent": 5}
_CLIENTS = ("news", "shop")


def _traced(values: Values | None = None) -> Plan:
    return plan_of(changed(setting("egress.mesh.tracing", _TRACING), values))


def _telemetry(plan: Plan) -> dict[str, KubeObject]:
    """By namespace: Istio uses one for a namespace, the oldest."""
    found = of_kind(plan, "Telemetry")
    by_namespace = {f"{each.namespace}": each for each in found}
    assert len(by_namespace) == len(found)
    return by_namespace


def _providers(plan: Plan) -> dict[str, Any]:
    return {each["name"]: each for each in istio_of(plan).istiod.values["meshConfig"]["extensionProviders"]}


def _fields(plan: Plan, name: str) -> dict[str, str]:
    return _providers(plan)[name]["envoyFileAccessLog"]["logFormat"]["labels"]


def test_gateways_log_everything() -> None:
    """A connection through a gateway was in no log."""
    gateways = _telemetry(plan_of(dev_values()))["istio-egress"]
    assert gateways.spec == {"accessLogging": [{"providers": [{"name": GATEWAY_LOG}]}]}


def test_the_whole_mesh_logs_what_leaves() -> None:
    """A namespace that nobody declared asked for undeclared hosts unseen; or pods logged what they received."""
    telemetry = _telemetry(plan_of(dev_values()))
    assert set(telemetry) == {"istio-egress", "istio-system"}
    (logging,) = telemetry["istio-system"].spec["accessLogging"]
    assert logging["match"] == {"mode": "CLIENT"}
    assert logging["providers"] == [{"name": CLIENT_LOG}]
    for sign in ("endsWith('.istio-egress.svc.cluster.local')", "!xds.cluster_name.endsWith('.svc.", "block_all"):
        assert sign in logging["filter"]["expression"]


@pytest.mark.parametrize("name", [CLIENT_LOG, GATEWAY_LOG])
def test_no_field_holds_a_query_or_a_credential(name: str) -> None:
    """Tokens of queries and headers stood in the logs, for everyone who reads logs."""
    fields = _fields(plan_of(dev_values()), name)
    assert fields["path"].startswith("%REQ_WITHOUT_QUERY(")
    assert {"destination", "client", "declared", "proxy"} <= set(fields)
    text = json.dumps(fields).upper()
    for secret in ("AUTHORIZATION", "COOKIE", "REQ(:PATH", "REQ(X-ENVOY-ORIGINAL-PATH", "TOKEN"):
        assert secret not in text


def test_a_client_says_who_it_is() -> None:
    """The same service account had one name in the client's log, and another in the gateway's."""
    values = changed(setting("egress.mesh.trustDomain", "mesh.example.com"))
    client = _fields(plan_of(values), CLIENT_LOG)["client"]
    assert client == "spiffe://mesh.example.com/ns/%ENVIRONMENT(POD_NAMESPACE)%/sa/%ENVIRONMENT(SERVICE_ACCOUNT)%"


def test_without_a_collector_nothing_is_traced() -> None:
    """Proxies sent spans to nowhere, and requests carried trace headers for nobody."""
    plan = plan_of(dev_values())
    assert TRACES not in _providers(plan)
    assert all("tracing" not in each.spec for each in of_kind(plan, "Telemetry"))


def test_traces_go_to_the_collector() -> None:
    """Spans went to another Service than the one that was named."""
    plan = _traced()
    collector = {"service": "collector.monitoring.svc.cluster.local", "port": 4317}
    assert _providers(plan)[TRACES] == {"name": TRACES, "opentelemetry": collector}
    for namespace in ("istio-egress", *_CLIENTS):
        (spans,) = _telemetry(plan)[namespace].spec["tracing"]
        assert (spans["providers"], spans["randomSamplingPercentage"]) == ([{"name": TRACES}], 5)
        assert "PATH(NQ)" in spans["customTags"]["http.url"]["formatter"]["value"]


def test_whoever_speaks_to_the_outside_adds_no_trace_headers() -> None:
    """Hosts outside learned which requests belong together."""
    values = changed(setting("cluster.namespaces.shop.outbound", "registry-only"))
    values["destinations"]["edition-cnn"]["clients"]["shop"] = {"everyone": True}
    values["destinations"]["edition-cnn"]["cidrs"] = ["151.101.0.0/22"]
    telemetry = _telemetry(_traced(values))
    ends = {
        name: "disableContextPropagation" in telemetry[name].spec["tracing"][0] for name in ("istio-egress", *_CLIENTS)
    }
    assert ends == {"istio-egress": True, "news": False, "shop": True}


@pytest.mark.parametrize("on", [True, False])
def test_trace_headers_end_at_the_gateway(on: bool) -> None:
    """The client's trace went on to the outside; or an application's own was cut although nothing is traced."""
    plan = _traced() if on else plan_of(dev_values())
    removed = [
        set(route["headers"]["request"]["remove"])
        for service in of_kind(plan, "VirtualService")
        for route in service.spec.get("http", [])
        if "headers" in route
    ]
    assert removed
    assert all(({"traceparent", "tracestate"} <= each) == on for each in removed)


def test_names_of_registered_objects_are_unique() -> None:
    """Two client namespaces' Telemetry had one name in the stack, and the second one was refused."""
    plan = _traced()
    assert [each.namespace for each in plan.observability.clients] == ["news", "shop"]
    assert {each.name for each in plan.observability.clients} == {"cluster-egress"}
