"""What is planned for backends, beside the real Envoy Gateway: it accepts all of it, and Envoy gets what was meant."""

from pathlib import Path
from typing import Any

import pytest

from tests.every_offer_key_targets import targets_values
from tests.offline_gateway import Translated, translate, validate
from tests.offline_objects import backend_objects
from tests.support import Values, changed

_GATEWAY = "envoy-gateway-system/cluster-egress"
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


def _in_mesh(values: Values) -> None:
    """The same through a Gateway whose proxies have sidecars, less what is refused there."""
    targets_values(values)
    values["backendGateways"] = {"default": {"inMesh": True}}
    items = values["backends"]["catalogue"]["routes"]["items"]
    del items["mirror"], items["rewrite"]["host"], values["backends"]["catalogue"]["healthCheck"]
    del values["backends"]["orders"], values["backends"]["orders-next"]


@pytest.fixture(scope="module")
def outside(egctl: Path, tmp_path_factory: pytest.TempPathFactory) -> Translated:
    """Every kind of backend, through a Gateway without sidecars."""
    return translate(egctl, backend_objects(changed(targets_values)), _GATEWAY, tmp_path_factory.mktemp("outside"))


@pytest.fixture(scope="module")
def in_mesh(egctl: Path, tmp_path_factory: pytest.TempPathFactory) -> Translated:
    """The same with sidecars."""
    return translate(egctl, backend_objects(changed(_in_mesh)), _GATEWAY, tmp_path_factory.mktemp("mesh"))


_JUDGED = {"Backend", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"}


def test_envoy_gateway_accepts_all_of_it(outside: Translated, in_mesh: Translated, envoy: Path, tmp_path: Path) -> None:
    """An object was refused in the cluster, or referred to what nobody granted."""
    for each in (outside, in_mesh):
        assert each.refused == ()
        assert each.false == ()
        assert validate(envoy, each.config, tmp_path) == ""
    planned = {(each["kind"], each["metadata"]["name"]) for each in backend_objects(changed(targets_values))}
    assert {each for each in planned if each[0] in _JUDGED} <= outside.accepted
    assert {kind for kind, _ in outside.accepted} >= _JUDGED


def _contexts(cluster: Any) -> list[Any]:
    sockets = [each["transportSocket"] for each in cluster.get("transportSocketMatches", ())]
    return [socket["typedConfig"] for socket in sockets or [cluster["transportSocket"]]]


def test_the_name_in_a_certificate_is_compared(outside: Translated) -> None:
    """A certificate of the right authority, but of another name, was taken."""
    checked = {"catalogue": ("catalogue.example.net", 1), "chat": ("chat.example.net", 2)}
    for name, (host, endpoints) in checked.items():
        contexts = _contexts(outside.cluster(name))
        assert len(contexts) == endpoints
        for context in contexts:
            assert context["@type"] == _TLS
            assert context["sni"] == host
            validation = context["commonTlsContext"]["combinedValidationContext"]
            (name_check,) = validation["defaultValidationContext"]["matchTypedSubjectAltNames"]
            assert name_check == {"sanType": "DNS", "matcher": {"exact": host}}
            assert "trustChainVerification" not in validation["defaultValidationContext"]
            assert validation["validationContextSdsSecretConfig"]["name"]


def test_a_resolver_verifies_the_host_that_it_looked_up(outside: Translated) -> None:
    """A host that is looked up for a request was believed to be any of its neighbours."""
    cluster = outside.cluster("partners")
    (options,) = cluster["typedExtensionProtocolOptions"].values()
    assert options["upstreamHttpProtocolOptions"] == {"autoSni": True, "autoSanValidation": True}
    assert _contexts(cluster)[0]["@type"] == _TLS


def test_a_resolver_takes_no_port_from_a_request(outside: Translated) -> None:
    """`Host: a.partners.example.net:22` made Envoy connect to port 22: its routes ignore the port of a host."""
    routes = outside.hosts()["a.partners.example.net"]
    assert all(len(route["match"]["headers"]) == 1 for route in routes)
    asked = {route["match"]["headers"][0]["stringMatch"]["exact"]: route["route"] for route in routes}
    own = {host: route for host, route in asked.items() if host.startswith("a.")}
    assert set(own) == {"a.partners.example.net", "a.partners.example.net:80"}
    assert {route["hostRewriteLiteral"] for route in own.values()} == {"a.partners.example.net"}


def test_what_stands_by_is_in_one_pool_with_what_it_stands_by_for(outside: Translated) -> None:
    """Of two pools the second got its share of ordinary requests, instead of standing by."""
    groups = outside.cluster("chat")["loadAssignment"]["endpoints"]
    assert [group.get("priority", 0) for group in groups] == [0, 1]


def test_shares_are_as_declared(outside: Translated, in_mesh: Translated) -> None:
    """A canary got another share than was written."""
    groups = outside.cluster("catalogue", 1)["loadAssignment"]["endpoints"]
    assert [group["loadBalancingWeight"] for group in groups] == [90, 10]
    # With a name of its own the Service is a pool of its own.
    (route,) = [each for each in in_mesh.hosts()["catalogue.example.com"] if "pathSeparatedPrefix" in each["match"]]
    stays, goes = route["route"]["weightedClusters"]["clusters"]
    assert (stays["weight"], stays.get("hostRewriteLiteral")) == (90, None)
    assert (goes["weight"], goes["hostRewriteLiteral"]) == (10, "catalogue.monitoring.svc.cluster.local")
    assert route["route"]["prefixRewrite"] == "/v2"


def test_paths_are_joined_by_a_slash(outside: Translated) -> None:
    """`/shop` before `/news` became `/shopnews`."""
    (route,) = [each for each in outside.hosts()["catalogue.example.com"] if each["match"].get("prefix") == "/"]
    assert route["route"]["regexRewrite"] == {"pattern": {"regex": "^/"}, "substitution": "/shop/"}


def test_a_service_of_grpc_is_matched_whole(outside: Translated) -> None:
    """`/shop.OrdersAdmin/Drop` was led to the backend of `/shop.Orders/*`."""
    paths = [each["match"] for each in outside.hosts()["orders.example.com"]]
    assert paths[0]["path"] == "/shop.Orders/Get"
    assert paths[1]["safeRegex"]["regex"] == r"/shop\.Orders/[A-Za-z_][A-Za-z_0-9]*"
