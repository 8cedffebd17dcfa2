"""A gateway on its node's network is the same gateway, deployed by istiod."""

import json
from typing import Any

import pytest

from components.plan.mesh.node_network import PLACEMENT
from tests.plan.gateway_api_projections import doors, gateways
from tests.support import Values, changed, dev_values, plan_of, setting, told

_READ = {
    *("labels", "podAnnotations", "service", "autoscaling", "replicaCount", "podDisruptionBudget", "strategy", "env"),
    *("terminationGracePeriodSeconds", *PLACEMENT),
}
"""The chart's values that have their like in the patches."""


def _values(*, host_network: bool = True) -> Values:
    """The `dev` stack by Gateway API, through a second gateway."""
    values = changed(setting("egress.mesh.flavour", "gateway-api"))
    values["egress"]["mesh"]["gateways"] = {"second": {"replicas": 3, "hostNetwork": host_network}}
    values["destinations"]["edition-cnn"]["gateway"] = "second"
    return values


def _patches(values: Values) -> dict[str, Any]:
    (deployed,) = plan_of(values).egress_gateway.on_node_network
    return {key: json.loads(patch) for key, patch in deployed.parameters.data.items()}


def test_everything_that_the_chart_is_told_istiod_is_told_too() -> None:
    """A value of the chart was added, and gateways on their node's network went without."""
    second = next(
        each for each in plan_of(_values(host_network=False)).egress_gateway.releases if each.name.endswith("second")
    )
    assert set(second.values) == _READ
    assert second.values["autoscaling"] == {"enabled": False}
    patches = _patches(_values())
    pod = patches["deployment"]["spec"]["template"]["spec"]
    assert {key: pod[key] for key in PLACEMENT} == {key: second.values[key] for key in PLACEMENT}
    assert patches["deployment"]["spec"]["replicas"] == second.values["replicaCount"] == 3
    assert patches["podDisruptionBudget"] == {"spec": second.values["podDisruptionBudget"]}
    assert patches["service"]["spec"]["ports"] == second.values["service"]["ports"]
    assert patches["service"]["metadata"]["annotations"] == second.values["service"]["annotations"]


def test_its_pods_use_the_nodes_network_and_the_clusters_dns() -> None:
    """The pods asked the node's DNS, which knows no Service, so they never found istiod."""
    pod = _patches(_values())["deployment"]["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True
    assert pod["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert pod["securityContext"] == {"sysctls": None}, "the kubelet refuses a sysctl of a network that is the node's"


def test_istiod_deploys_it_under_the_name_that_routes_lead_to() -> None:
    """The class was appended to its names, so routes led to a Service that was not there."""
    plan = plan_of(_values())
    (deployed,) = plan.egress_gateway.on_node_network
    assert [release.name for release in plan.egress_gateway.releases] == ["egress-gateway"]
    assert "addresses" not in deployed.gateway.spec, "istiod deploys only what has no address"
    names = {deployed.gateway.annotations[f"gateway.istio.io/{key}"] for key in ("name-override", "service-account")}
    assert names == {"egress-gateway-second"}
    assert {door.service.partition(".")[0] for door in doors(plan)} == names
    assert deployed.gateway.spec["infrastructure"]["labels"]["app"] == "egress-gateway-second"
    assert deployed.gateway.spec["infrastructure"]["parametersRef"]["name"] == deployed.parameters.name


def test_no_network_policy_pretends_to_see_it() -> None:
    """A NetworkPolicy for pods that none applies to looked like protection."""
    assert "egress-gateway-second" not in {policy.name for policy in plan_of(_values()).gateway_policies}


@pytest.mark.parametrize("gateway", [None, "second"])
def test_secrets_that_its_service_account_cannot_read_are_refused(gateway: str | None) -> None:
    """TLS never started, because istiod refused the gateway the Secret."""
    values = _values()
    entry = values["destinations"]["edition-cnn"]
    entry["ports"] = {"secure": {"port": 443, "protocol": "HTTP", "tls": {"clientPort": 80, "secret": "authority"}}}
    if gateway is None:
        del entry["gateway"]
    found = told(values)
    expected = [] if gateway is None else ["destinations.edition-cnn.ports.secure.tls.secret"]
    assert [path for path, _, _ in found] == expected


def test_the_other_gateways_stay_with_the_chart() -> None:
    """A stack without `hostNetwork` got a Gateway that istiod deploys."""
    plan = plan_of(changed(setting("egress.mesh.flavour", "gateway-api"), dev_values()))
    assert plan.egress_gateway.on_node_network == ()
    assert all("addresses" in gateway.spec for gateway in gateways(plan))
