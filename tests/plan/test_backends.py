"""What is offered inside: objects that lead to the declared backends and to nothing else."""

from components.plan.lockdown import gateway_policies
from components.plan.mesh.requests import INTERNAL_HEADERS
from tests.support import changed, dev_values, just_enough, of_kind, plan_of, setting, settings_of, told


def test_sidecars_of_every_client_namespace_find_the_backends() -> None:
    """Under REGISTRY_ONLY a sidecar answered 502 for a backend's hostname, which no registry knew."""
    plan = plan_of(dev_values())
    assert plan.backends is not None
    (offer,) = plan.backends.offers
    assert offer.spec["hosts"] == ["httpbin.org", "n9e.jiaxzeng.com"]
    assert offer.spec["exportTo"] == [".", "news", "shop"]
    assert offer.spec["ports"] == [{"number": 80, "name": "http-80", "protocol": "HTTP", "targetPort": 10080}]


def test_the_offer_leads_to_the_proxies_that_the_network_policy_lets_out() -> None:
    """Sidecars were sent to other pods than those that may reach the backends."""
    plan = plan_of(dev_values())
    settings = settings_of(dev_values())
    proxies = gateway_policies(settings, just_enough(settings), ())[1]
    assert plan.backends is not None
    (offer,) = plan.backends.offers
    assert offer.namespace == proxies.namespace
    assert offer.spec["workloadSelector"]["labels"] == proxies.spec["podSelector"]["matchLabels"]


def test_every_route_has_hostnames_its_own_backend_and_tells_nothing() -> None:
    """A route without hostnames took every request; one that keeps headers told the outside who calls."""
    plan = plan_of(dev_values())
    assert plan.backends is not None
    for name, backend in plan.backends.backends.items():
        (route,) = backend.routes
        assert route.spec["hostnames"]
        (rule,) = route.spec["rules"]
        assert [reference["name"] for reference in rule["backendRefs"]] == [name]
        assert rule["filters"][0]["requestHeaderModifier"]["remove"] == list(INTERNAL_HEADERS)


def test_a_hostname_is_not_a_destination_too() -> None:
    """A host was both offered and declared, and istiod took one of the two ways for all."""
    values = changed(setting("backends.n9e.hostnames", ["edition.cnn.com"]))
    assert told(values) == [
        (
            "backends.n9e.hostnames[0]",
            "edition.cnn.com is a host of destinations.edition-cnn, so sidecars would not know where to go",
            "a hostname of your own, which only the backend has",
        )
    ]


def test_no_header_about_pods_leaves_by_the_egress_gateway() -> None:
    """The outside learnt pods' addresses, and what route their request took."""
    for group in plan_of(dev_values()).egress_gateway.groups:
        for service in of_kind(group, "VirtualService"):
            outward = [route for route in service.spec["http"] if "authority" in route["match"][0]]
            assert outward
            assert all(route["headers"]["request"]["remove"] == list(INTERNAL_HEADERS) for route in outward)


def test_crds_of_somebody_else_are_not_upgraded_with_the_release() -> None:
    """The manifests' README would write the chart's experimental CRDs over those of a cloud."""
    for elsewhere, ours in ((None, True), ("standard", False), ("experimental", False)):
        plan = plan_of(dev_values() if elsewhere is None else changed(setting("install.gatewayApi", elsewhere)))
        assert plan.envoy_gateway is not None
        release = plan.envoy_gateway.release
        assert release.crds is ours
        assert ("crds" in release.values) is not ours
