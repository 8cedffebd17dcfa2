"""EGR740: egress nodes that any pod gets onto."""

from collections.abc import Iterator

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import NODE_POOL
from policy.readers.nodes import HARD, is_same, taints_in
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if not is_egress_pool(subject, context):
        return
    reader = Reader()
    taints = reader.field(root(subject.whole), "taints")
    hard = [each for each in taints_in(reader, taints) if each.effect in HARD]
    if reader.findings:
        return  # EGR700 says what cannot be read
    if not hard:
        yield Finding(path=taints.path, message="no taint keeps other pods away for certain")
    elif context.egress_taints and not any(is_same(own, known) for own in hard for known in context.egress_taints):
        yield Finding(path=taints.path, message="is none of the taints that the settings give the egress nodes")


RULE = ObjectRule(
    id="EGR740",
    name="egress-pool-untainted",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE_POOL}),
    lockdown=True,
    summary="The egress node pool has a taint with NoSchedule or NoExecute, the one of the settings where there are "
    "any.",
    why="Without it the scheduler puts any pod there, and what runs on an egress node leaves with the addresses that "
    "firewalls outside trust. PreferNoSchedule only asks.",
    remediation="write the taint of egress.nodes.taints with effect NoSchedule in taints",
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
    url="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
    source="Kubernetes: Taints and Tolerations; CS, API 2015-12-15: CreateClusterNodePool, taints",
    check=_check,
)
