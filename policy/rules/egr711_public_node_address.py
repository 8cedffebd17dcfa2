"""EGR711: a node, or a pod without one, that gets a public address of its own."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import CONTAINER_GROUPS, INSTANCES, NODE, NODE_POOL
from policy.readers.nodes import external_addresses
from policy.reading import Reader, is_empty, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BANDWIDTH: Final = "internetMaxBandwidthOut"
_FLAGS: Final = (("allocatePublicIp",), ("autoCreateEip",), ("enablePublicNetwork",), ("scalingConfig", "isBondEip"))
_EIP: Final = "eipInstanceId"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    # What is unknown or of another type, EGR700 says.
    reader, told, whole = Reader(), Reader(), root(subject.whole)
    bandwidth = reader.field(whole, _BANDWIDTH)
    if (reader.number(bandwidth) or 0) > 0:
        told.report(bandwidth, f"{shown(bandwidth.value)} Mbit/s to the internet come with a public address")
    for keys in _FLAGS:
        flag = reader.field(whole, *keys)
        if reader.flag(flag) is True:
            told.report(flag, "true gives it a public address")
    eip = reader.field(whole, _EIP)
    if eip.value not in (None, "") and subject.group_kind in CONTAINER_GROUPS:
        told.report(eip, "gives it an EIP")
    instances = reader.field(whole, "instances")
    if subject.group_kind == NODE_POOL and is_egress_pool(subject, context) and not is_empty(instances):
        told.report(instances, "brings instances whose addresses and disks no program shows")
    if subject.group_kind == NODE:
        for address in external_addresses(told, subject):
            told.report(address, f"{shown(address.value)} is an address of its own on the internet")
    yield from told.findings


RULE = ObjectRule(
    id="EGR711",
    name="public-node-address",
    severity=Severity.BLOCK,
    applies_to=CONTAINER_GROUPS | INSTANCES | {NODE, NODE_POOL},
    summary="No node and no instance gets a public address or an EIP of its own.",
    why="What has a public address reaches the internet by it, whatever its route table says: past the NAT gateway, "
    "its firewall and the addresses that firewalls outside know. Its pods do as well where they leave by the node.",
    remediation="leave internetMaxBandwidthOut, isBondEip, allocatePublicIp, autoCreateEip, enablePublicNetwork and "
    "eipInstanceId out; the NAT gateway is the way out",
    example="""\
type: alicloud:cs/nodePool:NodePool
urn: egress
inputs:
  clusterId: c1
  nodePoolName: egress
  vswitchIds: [vsw-1, vsw-2]
  instanceTypes: [ecs.g7.large]
  desiredSize: "2"
  multiAzPolicy: BALANCE
  systemDiskEncrypted: true
  instanceMetadataOptions: {httpTokens: required}
  taints: [{key: cluster-egress/egress, value: "true", effect: NoSchedule}]
propertyDependencies: {securityGroupIds: [nodes]}
---
type: alicloud:ecs/securityGroup:SecurityGroup
urn: nodes
inputs: {vpcId: vpc-1, securityGroupName: egress, securityGroupType: enterprise}
""",
    url="https://www.alibabacloud.com/help/en/vpc/user-guide/ipv4-gateway-overview",
    source="VPC: IPv4 gateway overview; the API references of CS (CreateClusterNodePool), ECS (RunInstances), ESS "
    "(CreateScalingConfiguration) and ECI (CreateContainerGroup)",
    check=_check,
)
