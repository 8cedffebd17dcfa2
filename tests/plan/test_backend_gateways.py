"""The Gateways of backends: listeners, certificates, and what callers send before any route sees it."""

from typing import Any

import pytest

from components.plan import KubeObject
from tests.every_offer_key_gateways import gateway_values
from tests.support import Values, changed, dev_values, of_kind, plan_of, setting


def _gateway(values: Values, name: str) -> KubeObject:
    (found,) = [each for each in of_kind(plan_of(values), "Gateway") if each.name == name]
    return found


def _listeners(values: Values, name: str) -> dict[str, dict[str, Any]]:
    """A Gateway's listeners, by the hostname that they answer to, else by their own name."""
    return {each.get("hostname", each["name"]): each for each in _gateway(values, name).spec["listeners"]}


def _policies(values: Values) -> dict[str, KubeObject]:
    """The policies for what callers send, by listener, else by Gateway."""
    targets = {each.spec["targetRefs"][0].get("sectionName", each.name): each for each in _traffic(values)}
    assert all(each.spec["targetRefs"][0]["kind"] == "Gateway" for each in targets.values())
    return targets


def _traffic(values: Values) -> list[KubeObject]:
    return of_kind(plan_of(values), "ClientTrafficPolicy")


def test_backends_in_plain_text_share_a_listener() -> None:
    """Guards against a listener for each backend, of which Envoy Gateway refuses all but one on a port."""
    assert list(_listeners(dev_values(), "cluster-egress")) == ["http"]


def test_each_hostname_with_tls_has_a_listener_of_its_own() -> None:
    """Guards against a listener for all names, whose certificate would be shown for each of them."""
    listeners = _listeners(gateway_values(dev_values()), "cluster-egress-partners")
    assert {name: (each["protocol"], each["port"]) for name, each in listeners.items()} == {
        "http": ("HTTP", 80),
        "api.shop.example.com": ("HTTPS", 443),
        "www.shop.example.com": ("HTTPS", 443),
        "calls.example.com": ("HTTPS", 443),
        "sealed.example.com": ("TLS", 443),
        "opened.example.com": ("TLS", 443),
    }


def test_tls_ends_with_the_declared_certificate_or_not_at_all() -> None:
    """Guards against another backend's certificate, and against TLS that ends where it is to be passed through."""
    listeners = _listeners(gateway_values(dev_values()), "cluster-egress-partners")
    secret = {"group": "", "kind": "Secret"}
    issued = {"mode": "Terminate", "certificateRefs": [{**secret, "name": "shop-api.certificate"}]}
    assert {name: each.get("tls") for name, each in listeners.items()} == {
        "http": None,
        "api.shop.example.com": issued,
        "www.shop.example.com": issued,
        "calls.example.com": {
            "mode": "Terminate",
            "certificateRefs": [{**secret, "name": "calls-tls", "namespace": "monitoring"}],
        },
        "sealed.example.com": {"mode": "Passthrough"},
        "opened.example.com": {"mode": "Terminate", "certificateRefs": [{**secret, "name": "opened-tls"}]},
    }


def test_only_routes_of_the_gateway_s_own_namespace_attach() -> None:
    """Guards against a route from elsewhere, which takes a declared hostname."""
    for gateway in of_kind(plan_of(gateway_values(dev_values())).envoy_gateway, "Gateway"):
        for listener in gateway.spec["listeners"]:
            assert listener["allowedRoutes"]["namespaces"] == {"from": "Same"}


def test_a_listener_of_one_backend_takes_its_kind_of_route_alone() -> None:
    """Guards against the old route of a backend that is GRPC now, which nobody asks for what it asked for."""
    listeners = _listeners(gateway_values(dev_values()), "cluster-egress-partners")
    kinds = {name: [kind["kind"] for kind in each["allowedRoutes"]["kinds"]] for name, each in listeners.items()}
    assert kinds == {
        "http": ["HTTPRoute", "GRPCRoute"],
        "api.shop.example.com": ["HTTPRoute"],
        "www.shop.example.com": ["HTTPRoute"],
        "calls.example.com": ["GRPCRoute"],
        "sealed.example.com": ["TLSRoute"],
        "opened.example.com": ["TLSRoute"],
    }


@pytest.mark.pinned("north-south", "cert-manager is asked for certificates", "cert-manager is not in the bed")
def test_cert_manager_is_asked_for_every_hostname() -> None:
    """Guards against a certificate that lacks a name, and a Secret that somebody else already has."""
    (certificate,) = of_kind(plan_of(gateway_values(dev_values())), "Certificate")
    assert (certificate.name, certificate.namespace) == ("shop-api", "envoy-gateway-system")
    assert certificate.spec["dnsNames"] == ["api.shop.example.com", "www.shop.example.com"]
    assert certificate.spec["issuerRef"] == {"group": "cert-manager.io", "kind": "Issuer", "name": "internal"}
    assert certificate.spec["secretName"] == "shop-api.certificate"
    assert certificate.spec["privateKey"] == {"rotationPolicy": "Always"}


def test_the_address_of_callers_is_always_said() -> None:
    """Guards against `X-Forwarded-For` of anybody, which says what its writer likes."""
    policies = _policies(gateway_values(dev_values()))
    direct: dict[str, Any] = {"directSourceIP": {}}
    behind: dict[str, Any] = {"xForwardedFor": {"trustedCIDRs": ["10.60.1.0/24"]}}
    for name, policy in policies.items():
        at_partners = policy.spec["targetRefs"][0]["name"] == "cluster-egress-partners"
        assert policy.spec["clientIPDetection"] == (behind if at_partners else direct), name


def test_a_listener_s_policy_says_all_that_its_gateway_s_says() -> None:
    """Guards against a policy for one listener that takes limits away: it replaces the Gateway's, and adds nothing."""
    policies = _policies(gateway_values(dev_values()))
    whole = policies["cluster-egress-partners"].spec
    assert whole["tls"] == {"minVersion": "1.3"}
    assert whole["connection"] == {"connectionLimit": {"value": 5000}}
    own = [each for each in policies.values() if "sectionName" in each.spec["targetRefs"][0]]
    assert len(own) == 4
    for policy in own:
        assert {key: value for key, value in policy.spec.items() if key not in ("tls", "targetRefs")} == {
            key: value for key, value in whole.items() if key not in ("tls", "targetRefs")
        }
        assert policy.spec["tls"]["minVersion"] == "1.3"


def test_callers_show_a_certificate_where_it_is_asked_for() -> None:
    """Guards against a certificate that is asked for and not needed, and against one of anybody's."""
    values = gateway_values(dev_values())
    listeners, policies = _listeners(values, "cluster-egress-partners"), _policies(values)
    needed = {"mode": "RequireAndVerify", "caCertificateRefs": [{"group": "", "kind": "Secret", "name": "callers"}]}
    named = {"subjectAltNames": {"dnsNames": [{"type": "Exact", "value": "client.example.net"}]}}
    asked = {
        hostname: policies[listener["name"]].spec["tls"].get("clientValidation")
        for hostname, listener in listeners.items()
        if listener["name"] in policies
    }
    assert asked == {
        "api.shop.example.com": {**needed, **named},
        "www.shop.example.com": {**needed, **named},
        "opened.example.com": needed,
        "calls.example.com": None,
    }


def test_grpc_is_offered_as_http2_whatever_the_certificates() -> None:
    """Guards against HTTP/1.1 alone, which is what Envoy Gateway offers where two certificates overlap."""
    values = gateway_values(dev_values())
    calls = _listeners(values, "cluster-egress-partners")["calls.example.com"]
    assert _policies(values)[calls["name"]].spec["tls"]["alpnProtocols"] == ["h2"]


def test_what_callers_send_is_made_plain_before_any_route() -> None:
    """Guards against paths that are read otherwise behind the Gateway, and against headers that steer Envoy."""
    for policy in _policies(gateway_values(dev_values())).values():
        assert policy.spec["path"] == {"disableMergeSlashes": False, "escapedSlashesAction": "UnescapeAndRedirect"}
        headers = policy.spec["headers"]
        assert headers["withUnderscoresAction"] == "RejectRequest"
        assert headers["xForwardedClientCert"] == {"mode": "Sanitize"}
        assert headers["earlyRequestHeaders"] == {"removeOnMatch": [{"type": "Prefix", "value": "x-envoy-"}]}


@pytest.mark.parametrize(("port", "to"), [(None, {}), (8443, {"port": 8443})])
def test_plain_text_is_sent_to_https(port: int | None, to: dict[str, int]) -> None:
    """Guards against a redirect to a port on which nobody listens, and one that leads to the backend in plain text."""
    values = gateway_values(dev_values())
    if port is not None:
        values = changed(setting("backends.shop-api.port", port), values)
    (route,) = [each for each in of_kind(plan_of(values), "HTTPRoute") if each.name == "shop-api.partners.redirect"]
    assert route.spec["hostnames"] == ["api.shop.example.com", "www.shop.example.com"]
    assert route.spec["parentRefs"] == [{"name": "cluster-egress-partners", "sectionName": "http"}]
    (rule,) = route.spec["rules"]
    assert "backendRefs" not in rule
    assert rule["filters"] == [
        {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301, **to}}
    ]


def test_the_gateway_s_own_policy_is_there_before_it() -> None:
    """Guards against a moment in which callers are believed what they say of their address."""
    plan = plan_of(gateway_values(dev_values())).envoy_gateway
    assert plan is not None
    for gateway in plan.gateways:
        assert [each.name for each in of_kind(gateway.in_force, "ClientTrafficPolicy")] == [gateway.gateway.name]
        assert {each.kind for each in gateway.in_force} <= {"Backend", "Certificate", "ClientTrafficPolicy"}
