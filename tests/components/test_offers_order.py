"""In which order a backend's objects come."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from cli.offline.records import Registration
from tests.components.previewing import needs, previewed
from tests.every_offer_key import every_offer_values
from tests.every_offer_key_targets import offered

_ROUTES: Final = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")


@pytest.fixture
def registered(project: Path) -> Sequence[Registration]:
    """What backends of every kind register, with some that get requests or copies of others."""
    values = every_offer_values()
    for name, routes in (
        ("shares", {"all": {"split": {"spare": 5}}}),
        ("copies", {"all": {"mirror": {"to": "spare"}}}),
        ("spare", None),
    ):
        values["backends"][name] = offered(
            hostname=f"{name}.example.com", endpoints=[{"ip": "93.184.216.47", "port": 80}]
        )
        values["backends"][name] |= {} if routes is None else {"routes": routes}
    return previewed(project, values).registrations


def _of(registered: Sequence[Registration], *kinds: str) -> list[Registration]:
    """The objects of these kinds that are Envoy Gateway's or Gateway API's."""
    return [
        each
        for each in registered
        if each.inputs.get("kind") in kinds and each.inputs["apiVersion"].startswith("gateway.")
    ]


def test_a_route_comes_after_all_that_it_refers_to(registered: Sequence[Registration]) -> None:
    """A rule whose filter or target was to come answered 500; one to a public Service waited for nothing.

    What a backend has besides its route bears its name, or one that begins with it and a dot.
    """
    routes, gateways = _of(registered, *_ROUTES), {each.urn for each in _of(registered, "Gateway")}
    others = _of(registered, "Backend", "HTTPRouteFilter", "SecurityPolicy", "BackendTrafficPolicy")
    assert len(_of(registered, "HTTPRouteFilter")) == 1
    for route in routes:
        backend = route.inputs["metadata"]["name"].partition(".")[0]
        own = {each.urn for each in others if each.inputs["metadata"]["name"].partition(".")[0] == backend}
        assert gateways | own | _led_to(others, route) <= needs(registered, route.urn), backend


def _led_to(objects: Sequence[Registration], route: Registration) -> set[str]:
    """The Backends that get requests or copies of a route."""
    rules = route.inputs["spec"]["rules"]
    references = [each for rule in rules for each in rule.get("backendRefs", ())]
    copied = [each["requestMirror"] for rule in rules for each in rule.get("filters", ()) if "requestMirror" in each]
    names = {
        each["name"] for each in (*references, *(each["backendRef"] for each in copied)) if each["kind"] == "Backend"
    }
    return {
        each.urn for each in objects if each.inputs["kind"] == "Backend" and each.inputs["metadata"]["name"] in names
    }


def test_sidecars_know_a_host_last(registered: Sequence[Registration]) -> None:
    """A sidecar led requests to a Gateway that knew nothing of them yet."""
    offers = [each for each in registered if "ExternalBackends$" in each.urn and each.inputs["kind"] == "ServiceEntry"]
    assert len(offers) == 4
    for offer in offers:
        assert {each.urn for each in _of(registered, *_ROUTES)} <= needs(registered, offer.urn)
