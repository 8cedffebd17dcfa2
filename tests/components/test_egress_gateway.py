"""In which order the egress gateway's objects come."""

from pathlib import Path

import pytest

from cli.offline.preview import preview
from cli.offline.records import Registration
from tests.projects import ROOT


def _before(stack: str, kinds: tuple[str, ...]) -> tuple[list[Registration], dict[str, set[str]]]:
    """The mesh's objects of these kinds, and the names of everything that each comes after."""
    registered = {each.urn: each for each in preview(ROOT, stack, with_policy=False).registrations}
    mine = [
        each for each in registered.values() if each.type.rpartition(":")[2] in kinds and "EgressGateway$" in each.urn
    ]

    def after(urn: str, seen: set[str]) -> set[str]:
        for each in registered[urn].dependencies:
            if each not in seen:
                seen.add(each)
                after(each, seen)
        return seen

    return mine, {each.urn: {registered[urn].name for urn in after(each.urn, set())} for each in mine}


@pytest.mark.parametrize("kinds", [("Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")])
def test_gateway_api_objects_come_after_their_crds(kinds: tuple[str, ...]) -> None:
    """The first `up` failed at `no matches for kind`, because Envoy Gateway's chart brings the CRDs."""
    objects, before = _before("staging", kinds)
    assert {each.type.rpartition(":")[2] for each in objects} == set(kinds)
    assert all("envoy-gateway" in names for names in before.values())


def test_clients_know_a_host_last() -> None:
    """A host was open before its route was there, so requests went around the gateway."""
    routes, _ = _before("staging", ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"))
    entries, before = _before("staging", ("ServiceEntry",))
    known = {name for names in before.values() for name in names}
    assert entries
    assert {route.name for route in routes} <= known


def test_the_mesh_waits_for_envoy_gateway_only_where_it_needs_it() -> None:
    """A mesh that uses none of its kinds was held up by Envoy Gateway's images."""
    objects, before = _before("dev", ("Gateway", "VirtualService", "ServiceEntry"))
    assert objects
    assert all("envoy-gateway" not in names for names in before.values())


def test_a_namespace_may_be_called_like_an_object_of_the_gateways(project: Path) -> None:
    """Two DestinationRules had one name in the state, and the engine refused the whole stack."""
    file = project / "stacks" / "Pulumi.staging.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("payments", "originate-tls"), encoding="utf-8")
    registered = preview(project, "staging", with_policy=False).registrations
    rules = {each.name for each in registered if each.type.endswith(":DestinationRule")}
    assert rules == {"egress-originate-tls", "egress-orders.egress-gateway", "egress-originate-tls.egress-gateway"}
