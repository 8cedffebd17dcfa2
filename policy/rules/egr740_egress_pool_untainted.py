"""EGR740: egress nodes that any pod gets onto."""

from collections.abc import Iterator

from policy.readers.cloud.egress_network import is_egress_pool
from policy.readers.cloud.kinds import NODE_POOL
from policy.readers.nodes import missing_taint, taints_in
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if not is_egress_pool(subject, context):
        return
    reader = Reader()
    taints = reader.field(root(subject.whole), "taints")
    missing = missing_taint(taints_in(reader, taints), context)
    if missing is not None and not reader.findings:  # EGR700 says what cannot be read
        yield Finding(path=taints.path, message=missing)


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
