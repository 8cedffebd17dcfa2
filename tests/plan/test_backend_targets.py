"""Backends: everything that is said about endpoints stands in an object, and TLS is always verified."""

from typing import Any

from components.plan.objects import KubeObject
from components.plan.offers.targets import references, targets
from tests.every_offer_key_targets import offered, targets_values
from tests.support import dev_values, settings_of


def _targets(name: str, **keys: Any) -> list[KubeObject]:
    values = dev_values()
    targets_values(values)
    if keys:
        values["backends"][name] = offered(hostname=f"{name}.example.com", **keys)
    settings = settings_of(values)
    return list(targets(settings, name, (settings.backends or {})[name]))


def _spec(name: str, **keys: Any) -> dict[str, Any]:
    (target,) = _targets(name, **keys)
    return dict(target.spec)


def test_every_endpoint_is_there_with_its_zone() -> None:
    """An endpoint was lost, or the zone by which proxies prefer it."""
    assert _spec("database")["endpoints"] == [
        {"ip": {"address": "93.184.216.42", "port": 5432}, "zone": "cn-hangzhou-h"},
        {"ip": {"address": "93.184.216.46", "port": 5432}, "zone": "cn-hangzhou-i"},
    ]


def test_what_stands_by_is_a_backend_of_its_own() -> None:
    """The endpoints that stand by were asked like the others."""
    main, standby = _targets("chat")
    assert (main.name, main.spec.get("fallback")) == ("chat", None)
    assert (standby.name, standby.spec["fallback"]) == ("chat.standby", True)
    assert standby.spec["endpoints"] == [{"fqdn": {"hostname": "spare.chat.example.net", "port": 443}}]
    assert standby.spec["tls"] == main.spec["tls"]
    assert standby.spec["appProtocols"] == main.spec["appProtocols"] == ["gateway.envoyproxy.io/wss"]
    assert standby.annotations == main.annotations


def test_tls_is_verified_by_authority_and_name() -> None:
    """A certificate of the right authority for another name was taken, or nothing was verified at all."""
    assert _spec("catalogue")["tls"] == {
        "sni": "catalogue.example.net",
        "caCertificateRefs": [{"group": "", "kind": "Secret", "name": "catalogue"}],
        "clientCertificateRef": {"kind": "Secret", "name": "catalogue"},
        "minVersion": "1.2",
    }
    assert _targets("chat")[0].spec["tls"] == {
        "sni": "chat.example.net",
        "wellKnownCACertificates": "System",
        "minVersion": "1.3",
    }


def test_the_one_name_of_endpoints_is_the_name_in_their_certificate() -> None:
    """Without `serverName` the name came from the caller's `Host`, and callers' names are not the endpoints'."""
    endpoints = [{"fqdn": "api.example.net", "port": port} for port in (443, 8443)]
    assert _spec("shop", endpoints=endpoints, tls={"minVersion": "1.2"})["tls"]["sni"] == "api.example.net"


def test_a_resolver_has_no_endpoints_and_no_name() -> None:
    """One host's name was asked of every host that is looked up."""
    assert _spec("partners") == {
        "type": "DynamicResolver",
        "tls": {"caCertificateRefs": [{"group": "", "kind": "Secret", "name": "partners"}], "minVersion": "1.2"},
    }


def test_a_service_needs_no_backend() -> None:
    """A Backend with a Service's name goes past the ReferenceGrant."""
    assert _targets("catalogue-next") == []


def test_routes_refer_to_where_a_backend_answers() -> None:
    """A route led to a Backend that is not there, or left out what stands by."""
    values = dev_values()
    targets_values(values)
    backends = settings_of(values).backends or {}
    group = "gateway.envoyproxy.io"
    assert references("chat", backends["chat"]) == [
        {"group": group, "kind": "Backend", "name": "chat"},
        {"group": group, "kind": "Backend", "name": "chat.standby"},
    ]
    assert references("catalogue-next", backends["catalogue-next"]) == [
        {"kind": "Service", "namespace": "monitoring", "name": "catalogue", "port": 80}
    ]
