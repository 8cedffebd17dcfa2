"""EGR742: egress nodes whose disks are not encrypted."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import NODE_POOL
from policy.reading import Node, Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ENCRYPTED: Final = "true"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if not is_egress_pool(subject, context):
        return
    reader, told, whole = Reader(), Reader(), root(subject.whole)
    system = reader.field(whole, "systemDiskEncrypted")
    if system.value in (None, False):
        told.report(system, _said(system))
    for disk in reader.items(reader.field(whole, "dataDisks")):
        encrypted = reader.field(disk, "encrypted")
        if encrypted.value is None or (isinstance(encrypted.value, str) and encrypted.value != _ENCRYPTED):
            told.report(encrypted, _said(encrypted))
    yield from told.findings


def _said(node: Node) -> str:
    return "is missing, so the disk is not encrypted" if node.value in (None, "") else "the disk is not encrypted"


RULE = ObjectRule(
    id="EGR742",
    name="node-disk-plain",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE_POOL}),
    summary="The disks of egress nodes are encrypted.",
    why="On an egress node lie the gateways' keys and the credentials for backends: in memory that is swapped or "
    "dumped, in images, in logs. A snapshot of the disk takes them along.",
    remediation='write systemDiskEncrypted: true with systemDiskCategory cloud_essd, and encrypted: "true" for each '
    "data disk",
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
    url="https://www.alibabacloud.com/help/en/ecs/user-guide/encryption-overview",
    source="ECS: Encryption overview; CS, API 2015-12-15: CreateClusterNodePool, system_disk_encrypted",
    check=_check,
)
