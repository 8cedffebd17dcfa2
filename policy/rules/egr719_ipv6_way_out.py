"""EGR719: a way out by IPv6, which the firewall at the NAT gateway never sees."""

from collections.abc import Iterator

from policy.readers.cloud.egress_network import dedicated_vswitches
from policy.readers.cloud.kinds import IPV6_KINDS, NODE_POOL, POD_NETWORKING, SWITCHES
from policy.readers.cloud.links import CloudStack
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    for subject in stack.each(IPV6_KINDS):
        yield Finding(path="", message="lets IPv6 out, past the NAT gateway and its firewall").of(subject)
    egress = dedicated_vswitches(stack, context)
    for vswitch in stack.each(SWITCHES):
        reader, whole = Reader(), root(vswitch.whole)
        enabled, block, mask = (
            reader.field(whole, key) for key in ("enableIpv6", "ipv6CidrBlock", "ipv6CidrBlockMask")
        )
        # The provider reads a vSwitch without IPv6 back as one with it where the API leaves the range out.
        is_read_back = block.value == "" and mask.value is None
        if enabled.value is True and not is_read_back and stack.handle_of(vswitch) in egress:
            message = "true gives what leaves by the NAT gateway addresses that do not"
            yield Finding(path=enabled.path, message=message).of(vswitch)


RULE = StackRule(
    id="EGR719",
    name="ipv6-way-out",
    severity=Severity.BLOCK,
    applies_to=IPV6_KINDS | SWITCHES | {NODE_POOL, POD_NETWORKING},
    summary="There is no IPv6 gateway, no IPv6 bandwidth or egress rule at one, and the egress vSwitches have no IPv6.",
    why="NAT gateway, NAT firewall and their addresses are IPv4. What has an IPv6 address and bandwidth at an IPv6 "
    "gateway leaves by it, unfiltered and with an address of its own.",
    remediation="remove it, or write enableIpv6: false; reach destinations by their IPv4 addresses",
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
