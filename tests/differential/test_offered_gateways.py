"""The Gateways of backends as the real Envoy Gateway and Envoy understand them: who is listened to, and how."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.plan.offers.listeners import gateway_name, gateways_of
from tests.every_offer_key_gateways import gateway_values
from tests.offline_gateway import Translated, translate, validate
from tests.offline_objects import backend_objects
from tests.support import changed, dev_values, setting, settings_of

_NAMESPACE = "envoy-gateway-system"
_VALUES = gateway_values(changed(setting("cluster.ipFamilies", ["IPv4", "IPv6"]), dev_values()))

Ask = Callable[..., Translated]


@pytest.fixture
def ask(egctl: Path, tmp_path: Path) -> Ask:
    """Ask Envoy Gateway about one Gateway."""

    def asked(gateway: str, *, without: str = "") -> Translated:
        objects = [each for each in backend_objects(_VALUES, gateway) if each["metadata"]["name"] != without]
        return translate(egctl, objects, f"{_NAMESPACE}/{gateway_name(gateway)}", tmp_path)

    return asked


def _chains(translated: Translated) -> dict[str, Any]:
    """Filter chains for names, by the one name in the SNI."""
    listeners = translated.config["static_resources"]["listeners"]
    chains = [chain for each in listeners for chain in each.get("filterChains", ()) if "filterChainMatch" in chain]
    return {name: chain for chain in chains for name in chain["filterChainMatch"].get("serverNames", ())}


@pytest.mark.parametrize("gateway", sorted(gateways_of(settings_of(_VALUES))))
def test_everything_is_accepted_and_envoy_starts_with_it(ask: Ask, gateway: str, envoy: Path, tmp_path: Path) -> None:
    """Guards against what a schema, Envoy Gateway or Envoy refuses, and would refuse half-way through a run."""
    translated = ask(gateway)
    assert translated.refused == ()
    assert translated.false == ()
    assert ("Gateway", gateway_name(gateway)) in translated.accepted
    assert ("ClientTrafficPolicy", gateway_name(gateway)) in translated.accepted
    assert validate(envoy, translated.config, tmp_path) == ""


def test_a_name_in_the_sni_leads_to_its_own_routes_only(ask: Ask) -> None:
    """Guards against a caller who is let in under one name, and asks for another in its `Host` header."""
    chains = _chains(ask("partners"))
    assert set(chains) == {
        "api.shop.example.com",
        "www.shop.example.com",
        "calls.example.com",
        "sealed.example.com",
        "opened.example.com",
    }
    for name in ("api.shop.example.com", "www.shop.example.com", "calls.example.com"):
        config = chains[name]["filters"][-1]["typedConfig"]["routeConfig"]
        assert [host["domains"] for host in config["virtualHosts"]] == [[name]]


def test_callers_certificates_are_needed_where_asked_for(ask: Ask) -> None:
    """Guards against a policy that is accepted and changes nothing."""
    chains = _chains(ask("partners"))
    needed = {
        name: chain["transportSocket"]["typedConfig"].get("requireClientCertificate", False)
        for name, chain in chains.items()
        if "transportSocket" in chain
    }
    assert needed == {
        "api.shop.example.com": True,
        "www.shop.example.com": True,
        "opened.example.com": True,
        "calls.example.com": False,
    }
    assert "client.example.net" in json.dumps(chains["api.shop.example.com"]["transportSocket"])


def test_without_the_authority_nobody_is_let_in(ask: Ask) -> None:
    """Guards against a Secret that is not there yet, and a listener that asks for any certificate in the meantime."""
    translated = ask("partners", without="callers")
    assert len([each for each in translated.false if each.startswith("ClientTrafficPolicy")]) == 3
    chains = _chains(translated)
    assert "opened.example.com" not in chains
    for name in ("api.shop.example.com", "www.shop.example.com"):
        (host,) = chains[name]["filters"][-1]["typedConfig"]["routeConfig"]["virtualHosts"]
        assert [route.get("directResponse", {}).get("status") for route in host["routes"]] == [500]


def test_every_chain_has_what_the_gateway_says(ask: Ask) -> None:
    """Guards against a listener whose own policy takes the Gateway's limits away."""
    chains = _chains(ask("partners"))
    for name, chain in chains.items():
        limit, *_ = chain["filters"]
        assert limit["name"] == "envoy.filters.network.connection_limit", name
        context = chain.get("transportSocket", {}).get("typedConfig", {}).get("commonTlsContext")
        if context is not None:
            assert context["tlsParams"]["tlsMinimumProtocolVersion"] == "TLSv1_3", name
    calls = chains["calls.example.com"]["transportSocket"]["typedConfig"]["commonTlsContext"]
    assert calls["alpnProtocols"] == ["h2"]


def test_only_declared_proxies_say_who_calls(ask: Ask) -> None:
    """Guards against an address that callers write themselves."""
    found = {}
    for gateway in ("default", "partners"):
        (plain,) = [
            each
            for each in ask(gateway).config["static_resources"]["listeners"]
            if each["name"].endswith(f"{gateway_name(gateway)}/http")
        ]
        chain = plain["filterChains"][0] if plain.get("filterChains") else plain["defaultFilterChain"]
        manager = chain["filters"][-1]["typedConfig"]
        extensions = manager.get("originalIpDetectionExtensions", [])
        found[gateway] = (
            manager.get("useRemoteAddress", False),
            [each["typedConfig"]["xffTrustedCidrs"]["cidrs"] for each in extensions],
        )
    assert found == {
        "default": (True, []),
        "partners": (False, [[{"addressPrefix": "10.60.1.0", "prefixLen": 24}]]),
    }
