"""EGR743: egress nodes that let in by a password."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import NODE_POOL
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_PASSWORDS: Final = ("password", "kmsEncryptedPassword")


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if not is_egress_pool(subject, context):
        return
    for key in _PASSWORDS:
        password = Reader().field(root(subject.whole), key)
        if password.value not in (None, ""):
            yield Finding(path=password.path, message="lets in by a password")


RULE = ObjectRule(
    id="EGR743",
    name="node-login-by-password",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE_POOL}),
    summary="Nobody logs in to egress nodes by a password.",
    why="Whoever knows or guesses it is on a machine whose addresses firewalls outside trust; it is the same on every "
    "node, and stands in the state.",
    remediation="leave password and kmsEncryptedPassword out; give keyName where somebody has to log in at all",
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
    url="https://www.alibabacloud.com/help/en/elastic-compute-service/latest/key-pairs-overview",
    source="ECS: SSH key pairs; CS, API 2015-12-15: CreateClusterNodePool, login_password",
    check=_check,
)
