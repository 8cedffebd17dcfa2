"""EGR745: egress nodes that are all in one zone."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import egress_pools, vswitches_of, zone_of
from policy.readers.cloud.kinds import NODE_POOL, SWITCHES
from policy.readers.cloud.links import CloudStack
from policy.rule import Context, Finding, Severity, StackRule, Subject

_LEAST: Final = 2


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    for pool in egress_pools(stack, context):
        vswitches = vswitches_of(stack, pool)
        zones = {zone_of(stack, handle) for handle in vswitches.handles}
        # Of vSwitches from elsewhere nobody sees the zone here: as many as there are, so many zones there may be.
        if vswitches.is_known and (len(vswitches.handles) < _LEAST or (len(zones) < _LEAST and None not in zones)):
            yield Finding(path="vswitchIds", message="has nodes in fewer than two zones").of(pool)
        elif not vswitches.is_known:
            yield Finding(path="vswitchIds", message="leads to a vSwitch that cannot be followed").of(pool)


RULE = StackRule(
    id="EGR745",
    name="egress-pool-one-zone",
    severity=Severity.BLOCK,
    applies_to=SWITCHES | {NODE_POOL},
    summary="The egress node pool has vSwitches in two zones or more.",
    why="When its zone fails, no client has a way out any more, and nothing moves by itself.",
    remediation="give a vSwitch of each of two zones or more in vswitchIds",
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
    url="https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "configure-auto-scaling-for-cross-zone-deployment",
    source="CS, API 2015-12-15: CreateClusterNodePool, vswitch_ids and multi_az_policy",
    check=_check,
)
