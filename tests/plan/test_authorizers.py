"""Who is asked about requests: authorizers as istiod's providers, and the rules that name them."""

from tests.plan.request_projections import destination, guarded, istio_gateways
from tests.support import dev_values, istio_of, of_kind, plan_of


def test_authorizers_are_providers() -> None:
    """Guards against an authorizer whose silence means yes, or that istiod does not find."""
    chart = istio_of(plan_of(guarded())).istiod.values
    assert chart["meshConfig"]["extensionProviders"][2:] == [
        {
            "name": "authorizer-clerk",
            "envoyExtAuthzHttp": {
                "service": "monitoring/clerk.monitoring.svc.cluster.local",
                "port": 8000,
                "timeout": "300ms",
                "failOpen": False,
                "statusOnError": "403",
                "includeRequestHeadersInCheck": ["x-team"],
            },
        },
        {
            "name": "authorizer-judge",
            "envoyExtAuthzGrpc": {
                "service": "monitoring/judge.monitoring.svc.cluster.local",
                "port": 9000,
                "timeout": "1s",
                "failOpen": False,
                "statusOnError": "403",
            },
        },
    ]
    assert chart["env"] == {"PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS": "true"}


def test_without_authorizers_istiod_is_told_of_none() -> None:
    """Guards against an istiod that restarts for what nobody uses."""
    chart = istio_of(plan_of(dev_values())).istiod.values
    assert "env" not in chart
    assert not any("envoyExtAuthz" in kind for each in chart["meshConfig"]["extensionProviders"] for kind in each)
    assert chart["meshConfig"]["pathNormalization"] == {"normalization": "BASE"}


def test_rules_of_authorizers_name_ports_of_requests() -> None:
    """Guards against TLS of others that is sent to an authorizer: istiod drops `hosts` from rules for TCP."""
    values = guarded()
    ports = {"https": {"port": 443, "protocol": "TLS"}, "tcp": {"port": 5432, "protocol": "TCP"}}
    values["destinations"]["lanes"] = {**destination("b.com"), "ports": ports, "addresses": ["8.8.8.8"]}
    plan = plan_of(values)
    lanes = {
        server["port"]["number"]
        for gateway in istio_gateways(plan)
        for server in gateway.spec["servers"]
        if server["port"]["protocol"] != "HTTPS"
    }
    (custom,) = (each for each in of_kind(plan, "AuthorizationPolicy") if each.spec.get("action") == "CUSTOM")
    named = {port for rule in custom.spec["rules"] for to in rule["to"] for port in to["operation"]["ports"]}
    assert lanes
    assert named == {"80"}
