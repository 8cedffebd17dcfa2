"""The egress nodes: closed before they are there, hardened, and the first of what the cluster gets."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.components.clouds import CLOUDS, changed_prod, stack
from tests.projects import ROOT


@pytest.mark.parametrize("name", CLOUDS)
def test_nodes_come_once_their_rules_are_there(name: str) -> None:
    """A node was up before its security group dropped anything."""
    registered = stack(name)
    (pool,) = registered.of("NodePool")
    rules = registered.of("SecurityGroupRule")
    assert rules
    assert all(registered.is_after(pool, rule) for rule in rules)
    assert pool.property_dependencies["securityGroupIds"] == (registered.one("SecurityGroup", "nodes").urn,)


@pytest.mark.pinned("cloud", "everything in the cluster comes after the nodes", "no account of Alibaba Cloud is there")
@pytest.mark.parametrize("name", CLOUDS)
def test_everything_in_the_cluster_comes_after_the_nodes(name: str) -> None:
    """Gateways were waited for that no node could run; and a destroy took the nodes away under them."""
    registered = stack(name)
    (pool,) = registered.of("NodePool")
    workloads = [*registered.of("Release"), *registered.of("Namespace"), *registered.of("Gateway")]
    assert registered.of("Release")
    assert [each.urn for each in workloads if not registered.is_after(each, pool)] == []


@pytest.mark.parametrize("name", CLOUDS)
def test_nodes_are_hardened(name: str) -> None:
    """A pod read its node's credentials; a disk was legible; a node had an address of its own."""
    (pool,) = stack(name).of("NodePool")
    said = pool.inputs
    assert said["instanceMetadataOptions"] == {"httpTokens": "required"}
    assert (said["systemDiskEncrypted"], said["systemDiskCategory"]) == (True, "cloud_essd")
    assert said["securityHardeningOs"] is True
    assert said["scalingConfig"]["isBondEip"] is False
    assert "internetMaxBandwidthOut" not in said
    assert said["multiAzPolicy"] == "BALANCE"
    assert len(said["vswitchIds"]) == 2
    assert said["spotStrategy"] == "NoSpot"


@pytest.mark.parametrize("name", CLOUDS)
def test_security_groups_drop_what_nobody_accepts(name: str) -> None:
    """A group of the basic kind lets everything out by default."""
    assert {each.inputs["securityGroupType"] for each in stack(name).of("SecurityGroup")} == {"enterprise"}
    assert {each.inputs["nicType"] for each in stack(name).of("SecurityGroupRule")} == {"intranet"}


@pytest.mark.parametrize("name", ["prod", "pods"])
def test_what_is_dropped_comes_after_what_is_accepted(name: str) -> None:
    """One run enforced and declared a destination in use; the drop was there first, and cut it off."""
    registered = stack(name)
    rules = registered.of("SecurityGroupRule")
    for drop in (each for each in rules if each.inputs["policy"] == "drop"):
        group = drop.property_dependencies["securityGroupId"]
        accepts = [each for each in rules if each.property_dependencies["securityGroupId"] == group]
        accepts = [each for each in accepts if each.inputs["policy"] == "accept"]
        assert accepts
        assert all(registered.is_after(drop, each) for each in accepts)


def test_a_fixed_number_stays_fixed() -> None:
    """Nodes that somebody added by hand were not noticed; or autoscaling that was on before stayed on."""
    (pool,) = stack("prod").of("NodePool")
    assert pool.inputs["desiredSize"] == "4"
    assert pool.inputs["scalingConfig"] == {"enable": False, "isBondEip": False, "type": "cpu"}
    assert "desiredSize" not in pool.ignore_changes


def test_nodes_by_load_are_left_as_many_as_they_are() -> None:
    """An `up` took away the nodes that the load had asked for."""
    (pool,) = stack("pods").of("NodePool")
    assert pool.inputs["desiredSize"] == "2"
    scaled = {"enable": True, "isBondEip": False, "type": "cpu", "minSize": 2, "maxSize": 6}
    assert pool.inputs["scalingConfig"] == scaled
    assert "desiredSize" in pool.ignore_changes


def test_labels_and_taints_are_what_gateways_look_for() -> None:
    """Gateways stayed pending, because the nodes bore other labels than they ask for."""
    (pool,) = stack("flannel").of("NodePool")
    assert pool.inputs["labels"] == [{"key": "example.com/way-out", "value": "true"}]
    assert pool.inputs["taints"] == [{"key": "example.com/way-out", "value": "only", "effect": "NoExecute"}]
    values = stack("flannel").one("Release", "egress-gateway").inputs["values"]
    assert values["nodeSelector"] == {"example.com/way-out": "true"}
    tolerated = {"key": "example.com/way-out", "operator": "Equal", "value": "only", "effect": "NoExecute"}
    assert values["tolerations"] == [tolerated]


def test_pods_have_addresses_of_their_own_before_they_start() -> None:
    """Pods of a Deployment kept the cluster's addresses, because `Fixed` passes over them or Terway knew too late."""
    prod = stack("prod")
    networks = prod.of("PodNetworking")
    assert {each.inputs["metadata"]["name"] for each in networks} == {
        "egress-gateway",
        "cluster-egress",
        "cluster-egress-suppliers",
    }
    pods = {each.urn for each in prod.of("Switch") if each.name.startswith("pods-")}
    for each in networks:
        assert each.inputs["spec"]["allocationType"] == {"type": "Elastic"}
        assert each.inputs["metadata"]["annotations"] == {"pulumi.com/waitFor": "jsonpath={.status.status}=Ready"}
        assert each.provider == prod.one("kubernetes", "cluster").urn
        group = prod.one("SecurityGroup", "pods").urn
        assert {*each.property_dependencies["spec"]} == {group, *pods}
        assert all(prod.is_after(release, each) for release in prod.of("Release"))


def test_existing_nodes_are_left_alone() -> None:
    """A stack without anything to create asked for credentials of the cloud, or waited for its SDK."""
    assert not [each for each in stack("dev").all if "alicloud" in each.type or "pulumi-python" in each.type]
    asked = (
        "import sys; from pathlib import Path; from cli.offline.preview import preview; "
        f"preview(Path({str(ROOT)!r}), 'dev', with_policy=False); print('pulumi_alicloud' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_credentials_are_nowhere_in_a_stack(project: Path) -> None:
    """Keys stood in the provider's inputs, and so in the state."""
    (provider,) = stack("prod").of("alicloud")
    assert {*provider.inputs} <= {"accountId", "accountType", "region", "version"}
    (provider,) = stack("flannel").of("alicloud")
    assert "cluster-egress" in str(provider.inputs["assumeRole"])


def test_a_managed_mesh_waits_for_nodes_too(project: Path) -> None:
    """With ASM nothing of ours has a namespace of its own, and the gateways came before the nodes."""

    def asm(config: dict[str, Any]) -> None:
        mesh = config["cluster-egress:egress"]["mesh"]
        mesh |= {"flavour": "asm", "asm": {"context": "asm", "controlPlane": ["10.20.32.30"]}}
        mesh["asm"]["clusterId"] = config["cluster-egress:cloud"]["cluster"]
        for key in ("backends", "backendGateways", "install"):
            config.pop(f"cluster-egress:{key}")
        kept = {"card-network", "tax-office"}
        destinations = config["cluster-egress:destinations"]
        config["cluster-egress:destinations"] = {name: destinations[name] for name in kept}

    approvals = project / "policy" / "approvals" / "prod.yaml"
    granted = approvals.read_text(encoding="utf-8") + _CONTROL_PLANE
    approvals.write_text(granted, encoding="utf-8")
    registered = changed_prod(project, asm)
    (pool,) = registered.of("NodePool")
    gateways = registered.of("IstioGateway")
    assert gateways
    assert all(registered.is_after(each, pool) for each in gateways)


_CONTROL_PLANE = """
privateRanges:
  control-plane:
    cidrs: [10.20.32.30/32]
    entries: [control-plane]
    ports: [15012]
    reason: The managed mesh's control plane
    owner: team-security
    ticket: SEC-390
    expires: "2029-12-31"
"""
