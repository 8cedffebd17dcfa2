"""EGR719: a way out by IPv6, which the firewall at the NAT gateway never sees."""

from collections.abc import Iterator

from policy.readers.cloud.kinds import IPV6_KINDS
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(_subject: Subject, _context: Context) -> Iterator[Finding]:
    yield Finding(path="", message="lets IPv6 out, past the NAT gateway and its firewall")


RULE = ObjectRule(
    id="EGR719",
    name="ipv6-way-out",
    severity=Severity.BLOCK,
    applies_to=IPV6_KINDS,
    summary="There is no IPv6 gateway, and no IPv6 bandwidth or egress rule at one.",
    why="NAT gateway, NAT firewall and their addresses are IPv4. What has an IPv6 address and bandwidth at an IPv6 "
    "gateway leaves by it, unfiltered and with an address of its own.",
    remediation="remove it; reach destinations by their IPv4 addresses",
    example="""\
type: alicloud:vpc/switch:Switch
urn: nodes-h
inputs: {vpcId: vpc-1, cidrBlock: 172.16.8.0/24, zoneId: cn-hangzhou-h}
""",
    url="https://www.alibabacloud.com/help/en/ipv6-gateway/product-overview/what-is-an-ipv6-gateway",
    source="IPv6 Gateway: What is an IPv6 gateway; Cloud Firewall, API 2017-12-07: CreateNatFirewallControlPolicy, "
    "IpVersion",
    check=_check,
)
