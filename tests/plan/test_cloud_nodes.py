"""The pool of egress nodes, and which pods get addresses of their own."""

from typing import Any

import pytest

from components.settings.cloud.nodes import Taint
from tests.every_cloud_key import VARIANTS, flannel_values, host_network_values, pod_vswitches_values, terway_values
from tests.plan.cloud_plans import cloud_of
from tests.support import Values, changed, of_kind, plan_of, setting

_ELSEWHERE: dict[str, Any] = {
    "nodes": {"mode": "existing", "labels": {"pool": "b"}, "taints": {"b": {"effect": "NoSchedule"}}},
    "addresses": {"mode": "existing", "cidrs": ["203.0.113.20/32"]},
}


def test_the_pool_is_the_declared_one() -> None:
    """Nodes were of another kind, size or number than declared."""
    pool = cloud_of(flannel_values()).nodes
    assert (pool.name, pool.cluster_id) == ("dev-egress", "c0123456789abcdef0123456789abcdef")
    assert pool.instance_types == ("ecs.g7.xlarge", "ecs.g8i.xlarge")
    assert (pool.count, pool.least, pool.most) == (None, 2, 6)
    assert (pool.image, pool.disk_gib, pool.kms_key) == (
        "AliyunLinux3ContainerOptimized",
        200,
        "key-hzz0123456789abcdef",
    )
    assert pool.labels == (("pool", "egress"),)
    assert pool.taints == (("pool", Taint(value="egress", effect="NoExecute")),)


def test_a_fixed_number_has_no_range() -> None:
    """The autoscaler drove a pool whose number is declared."""
    pool = cloud_of(terway_values()).nodes
    assert (pool.count, pool.least, pool.most) == (4, None, None)


def test_labels_and_taints_are_those_that_gateways_look_for() -> None:
    """The gateways found none of the nodes that were created for them."""
    for variant in VARIANTS.values():
        plan = plan_of(variant())
        assert plan.cloud is not None
        found = [release.values for release in plan.egress_gateway.releases]
        for values in found:
            assert values["nodeSelector"] == dict(plan.cloud.nodes.labels)
            assert {each["key"] for each in values["tolerations"]} == {key for key, _ in plan.cloud.nodes.taints}


def test_nodes_are_in_their_own_vswitches() -> None:
    """Nodes stood among the pods, or with the NAT gateway."""
    for variant in VARIANTS.values():
        pool = cloud_of(variant()).nodes
        assert [each.name for each in pool.vswitches] == ["nodes-cn-hangzhou-h", "nodes-cn-hangzhou-i"]


def _selected(values: Values) -> dict[str, tuple[str, dict[str, str]]]:
    return {each.name: (each.namespace, dict(each.labels)) for each in cloud_of(values).nodes.pod_networkings}


@pytest.mark.parametrize("values", [terway_values(), pod_vswitches_values()], ids=["nat", "pod-vswitches"])
def test_gateways_and_proxies_get_addresses_of_their_own(values: Values) -> None:
    """A gateway's pods came from an address that nobody was told."""
    pool = cloud_of(values).nodes
    assert set(_selected(values)) == {"egress-gateway", "cluster-egress"}
    for each in pool.pod_networkings:
        assert [vswitch.name for vswitch in each.vswitches] == ["pods-cn-hangzhou-h", "pods-cn-hangzhou-i"]


def test_the_pods_are_those_that_networkpolicies_know_as_gateways() -> None:
    """Pods that are no gateways got a gateway's addresses, and with them its way out; or a gateway did not."""
    plan = plan_of(terway_values())
    known = {
        (policy.namespace, repr(policy.spec["podSelector"]["matchLabels"]))
        for policy in of_kind(plan, "NetworkPolicy")
        if policy.name in ("egress-gateway", "cluster-egress") and policy.spec["podSelector"]
    }
    assert {(namespace, repr(labels)) for namespace, labels in _selected(terway_values()).values()} == known


@pytest.mark.parametrize("values", [flannel_values(), host_network_values()], ids=["flannel", "host-network"])
def test_where_pods_have_their_node_s_address_none_gets_another(values: Values) -> None:
    """Objects of Terway were created in a cluster without it."""
    pool = cloud_of(values).nodes
    assert pool.pod_networkings == ()
    assert [group.name for group in pool.security_groups] == ["nodes"]


def test_gateways_elsewhere_get_none() -> None:
    """A gateway on other nodes was moved to the egress nodes' zones."""
    values = terway_values()
    values["egress"]["mesh"]["gateways"] = {"partners": _ELSEWHERE}
    values["backendGateways"] = {"default": _ELSEWHERE}
    assert set(_selected(values)) == {"egress-gateway"}


def test_gateways_on_their_node_s_network_get_none() -> None:
    """Terway passes over such pods, so that the object promised what nobody keeps."""
    values = changed(setting("egress.mesh.flavour", "gateway-api"), terway_values())
    values["egress"]["mesh"]["gateways"] = {"quick": {"hostNetwork": True}}
    assert set(_selected(values)) == {"egress-gateway", "cluster-egress"}


def test_without_backends_nothing_of_envoy_gateway_is_selected() -> None:
    """A namespace that nobody created was named."""
    values = changed(lambda all_values: all_values.pop("backends"), terway_values())
    assert set(_selected(values)) == {"egress-gateway"}


def test_a_managed_mesh_s_gateways_are_found_where_it_puts_them() -> None:
    """ASM's gateways are in istio-system, and none of them got an address of ours."""
    values = terway_values()
    values["egress"]["mesh"] = {
        "flavour": "asm",
        "asm": {"context": "mesh", "clusterId": values["cloud"]["cluster"], "controlPlane": ["93.184.216.9"]},
    }
    del values["install"]["istio"]
    assert _selected(values)["egress-gateway"] == ("istio-system", {"cluster-egress/gateway": "egress-gateway"})
