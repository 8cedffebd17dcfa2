"""Every place of every kind, once: what the walk finds, with its path, and what it cannot read."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.destinations import Destinations, destinations_of
from policy.subjects import subjects_of

CASES: list[dict[str, Any]] = list(
    yaml.safe_load_all((Path(__file__).parent / "destinations.yaml").read_text(encoding="utf-8"))
)
ROUTES = [f"{protocol}Route" for protocol in ("HTTP", "GRPC", "TLS", "TCP", "UDP")]


def _read(whole: object) -> Destinations:
    [subject] = subjects_of(whole)
    return destinations_of(subject)


def _said(found: Destinations) -> dict[str, Any]:
    """What was found, as the tests below write it."""
    return {
        "addresses": {
            each.path: [str(each.network), *sorted(each.ports), *(["virtual"] if each.virtual else [])]
            for each in found.addresses
        },
        "names": {
            each.path: each.name + (" *" if each.wildcard else "") + (" inside" if each.inside else "")
            for each in found.names
        },
        "ports": sorted([each.path, each.number] for each in found.ports),
        "sockets": {each.path: each.text for each in found.sockets},
        "unreadable": {each.path: each.message for each in found.unreadable},
    }


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_everything_is_found_where_it_stands(case: dict[str, Any]) -> None:
    """Guards against a place that is passed over, or told at another path."""
    found = _said(_read(case["object"]))
    assert {key: places for key, places in found.items() if places} == case["found"]


@pytest.mark.parametrize("kind", ROUTES)
def test_hosts_that_routes_take_by_name(kind: str) -> None:
    """Guards against a route whose Hostname reference is not read, or a reference of another kind that is."""
    references = (
        "[{kind: Hostname, group: networking.istio.io, name: a.example.com, port: 443}, {kind: Service, name: b}]"
    )
    mirror = "[{requestMirror: {backendRef: {kind: Hostname, name: c.example.com, port: 80}}}]"
    rules = f"[{{backendRefs: {references}, filters: {mirror}}}, {{backendRefs: [{{kind: Hostname}}]}}]"
    route = f"{{apiVersion: gateway.networking.k8s.io/v1, kind: {kind}, spec: {{rules: {rules}}}}}"
    found = _said(_read(yaml.safe_load(route)))
    assert found["names"] == {
        "spec.rules[0].backendRefs[0].name": "a.example.com",
        "spec.rules[0].filters[0].requestMirror.backendRef.name": "c.example.com",
    }
    assert found["ports"] == [
        ["spec.rules[0].backendRefs[0].port", 443],
        ["spec.rules[0].filters[0].requestMirror.backendRef.port", 80],
    ]
    assert found["unreadable"] == {"spec.rules[1].backendRefs[0].name": "is missing"}
