"""EGR741: egress nodes whose metadata service answers everybody."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import NODE_POOL
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_REQUIRED: Final = "required"


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if subject.registration is None:
        return  # what exists already: no answer about node pools shows it
    reader = Reader()
    tokens = reader.field(root(subject.whole), "instanceMetadataOptions", "httpTokens")
    text = reader.text(tokens)
    # What cannot be read, EGR700 says.
    if is_egress_pool(subject, context) and not reader.findings and text != _REQUIRED:
        said = "is missing, which means optional" if not text else shown(text)
        yield Finding(path=tokens.path, message=f"{said}: one plain request gets the node's credentials")


RULE = ObjectRule(
    id="EGR741",
    name="node-metadata-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE_POOL}),
    summary="The metadata service of egress nodes asks for a token.",
    why="At 100.100.100.200 a node gives out the credentials of its role. Without a token, a proxy on it that can be "
    "led to fetch a URL fetches them for whoever asks.",
    remediation="write instanceMetadataOptions: {httpTokens: required}; it cannot be changed later without a new pool",
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
    url="https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/security-and-compliance/"
    "secure-access-to-ecs-instance-metadata",
    source="ACK: Access ECS instance metadata in enhanced mode only; CS, API 2015-12-15: CreateClusterNodePool, "
    "instance_metadata_options",
    check=_check,
)
