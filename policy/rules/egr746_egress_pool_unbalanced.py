"""EGR746: egress nodes that may all be in one of their zones. A warning: often they are not."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import NODE_POOL
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BALANCED: Final = "BALANCE"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    policy = Reader().field(root(subject.whole), "multiAzPolicy")
    # What is unknown or of another type, EGR700 says.
    said = "is missing, which means PRIORITY" if policy.value in (None, "") else shown(policy.value)
    is_read = policy.value is None or isinstance(policy.value, str)
    if is_egress_pool(subject, context) and is_read and policy.value != _BALANCED:
        yield Finding(path=policy.path, message=f"{said}: all nodes may be in one zone")


RULE = ObjectRule(
    id="EGR746",
    name="egress-pool-unbalanced",
    severity=Severity.WARN,
    applies_to=frozenset({NODE_POOL}),
    summary="The egress node pool spreads its nodes over its zones.",
    why="vSwitches in two zones are only where nodes may be. By default all are created in the first one's zone, and "
    "with that zone every gateway is gone.",
    remediation="write multiAzPolicy: BALANCE",
    example="""\
type: alicloud:cs/nodePool:NodePool
urn: egress
inputs:
  clusterId: c1
  nodePoolName: egress
  instanceTypes: [ecs.g7.large]
  desiredSize: "2"
  multiAzPolicy: BALANCE
  systemDiskCategory: cloud_essd
  systemDiskEncrypted: true
  instanceMetadataOptions: {httpTokens: required}
  labels: [{key: cluster-egress/egress, value: "true"}]
  taints: [{key: cluster-egress/egress, value: "true", effect: NoSchedule}]
propertyDependencies: {vswitchIds: [nodes-h, nodes-i], securityGroupIds: [nodes]}
---
type: alicloud:vpc/switch:Switch
urn: nodes-h
inputs: {vpcId: vpc-1, cidrBlock: 172.16.8.0/24, zoneId: cn-hangzhou-h}
---
type: alicloud:vpc/switch:Switch
urn: nodes-i
inputs: {vpcId: vpc-1, cidrBlock: 172.16.9.0/24, zoneId: cn-hangzhou-i}
---
type: alicloud:ecs/securityGroup:SecurityGroup
urn: nodes
inputs: {vpcId: vpc-1, securityGroupName: egress, securityGroupType: enterprise}
""",
    url="https://www.alibabacloud.com/help/en/auto-scaling/user-guide/configure-auto-scaling-for-cross-zone-deployment",
    source="CS, API 2015-12-15: CreateClusterNodePool, multi_az_policy",
    check=_check,
)
