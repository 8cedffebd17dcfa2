"""EGR718: an IPv4 gateway that holds nobody back."""

from collections.abc import Iterator

from policy.readers.cloud.kinds import IPV4_GATEWAY
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader, told, whole = Reader(), Reader(), root(subject.whole)
    enabled, mode = reader.field(whole, "enabled"), reader.field(whole, "internetMode")
    if enabled.value in (None, False):
        said = "is missing" if enabled.value is None else "false"
        told.report(enabled, f"{said}: every public address reaches the internet without a route")
    if isinstance(mode.value, str) and mode.value.lower() == "public":
        told.report(mode, f"{shown(mode.value)}: once it is deleted, every public address reaches the internet again")
    yield from told.findings


RULE = ObjectRule(
    id="EGR718",
    name="ipv4-gateway-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({IPV4_GATEWAY}),
    summary="An IPv4 gateway is enabled, and leaves the VPC private when it is deleted.",
    why="It is there so that a public address alone is no way out. One that is not enabled reads like that and does "
    "nothing; one that goes in public mode opens the whole VPC in the moment of its deletion.",
    remediation="write enabled: true, and internetMode: private or nothing",
    example="""\
type: alicloud:vpc/ipv4Gateway:Ipv4Gateway
urn: edge
inputs: {vpcId: vpc-1, enabled: true}
""",
    url="https://www.alibabacloud.com/help/en/vpc/user-guide/ipv4-gateway-overview",
    source="VPC: IPv4 gateway overview; API 2016-04-28: EnableVpcIpv4Gateway, DeleteIpv4Gateway",
    check=_check,
)
