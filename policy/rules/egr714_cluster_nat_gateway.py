"""EGR714: a cluster that brings a NAT gateway of its own."""

from collections.abc import Iterator

from policy.readers.cloud.kinds import CLUSTERS
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    gateway = Reader().field(root(subject.whole), "newNatGateway")
    if gateway.value is None or gateway.value is True:
        said = "is missing, which means true" if gateway.value is None else "true"
        message = f"{said}: every vSwitch of the cluster gets an SNAT entry on a NAT gateway"
        yield Finding(path=gateway.path, message=message)


RULE = ObjectRule(
    id="EGR714",
    name="cluster-nat-gateway",
    severity=Severity.BLOCK,
    applies_to=CLUSTERS,
    summary="A cluster is created without a NAT gateway of its own.",
    why="The NAT gateway that comes with a cluster lets all its nodes and pods out, by addresses that nobody chose, "
    "and no program shows it.",
    remediation="write newNatGateway: false, and let the egress nodes out by a NAT gateway that the stack creates",
    example="""\
type: alicloud:cs/managedKubernetes:ManagedKubernetes
urn: cluster
inputs: {name: prod, clusterSpec: ack.pro.small, newNatGateway: false, serviceCidr: 172.21.0.0/20}
""",
    url="https://www.alibabacloud.com/help/en/nat-gateway/user-guide/create-and-manage-internet-nat-gateways",
    source="pulumi-alicloud 3.105.0: newNatGateway is true by default; CS, API 2015-12-15: CreateCluster, snat_entry",
    check=_check,
)
