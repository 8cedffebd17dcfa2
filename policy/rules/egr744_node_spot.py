"""EGR744: egress nodes that can be taken away at any time. A warning: some can do without for a while."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import NODE_POOL
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_OWN: Final = "NoSpot"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    strategy = Reader().field(root(subject.whole), "spotStrategy")
    if is_egress_pool(subject, context) and isinstance(strategy.value, str) and strategy.value not in ("", _OWN):
        yield Finding(path=strategy.path, message=f"{shown(strategy.value)}: nodes are taken away when others pay more")


RULE = ObjectRule(
    id="EGR744",
    name="node-spot",
    severity=Severity.WARN,
    applies_to=frozenset({NODE_POOL}),
    summary="Egress nodes are not preemptible.",
    why="All gateways may lose their nodes within five minutes, in every zone at once, and with them every client its "
    "way out.",
    remediation="write spotStrategy: NoSpot, or leave it out",
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
    url="https://www.alibabacloud.com/help/en/ecs/user-guide/what-is-a-spot-instance",
    source="ECS: What are preemptible instances; CS, API 2015-12-15: CreateClusterNodePool, spot_strategy",
    check=_check,
)
