"""EGR715: a NAT gateway without the firewall that the stack has, or another one beside it."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.egress_network import gateway_of
from policy.readers.cloud.kinds import NAT_FIREWALL, NAT_GATEWAY, NAT_POLICY
from policy.readers.cloud.links import CloudStack
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_PRIVATE: Final = "intranet"
"""What translates between private networks only."""


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    filtered = _handles(stack, NAT_FIREWALL)
    governed = frozenset[str]().union(
        *(stack.follow(policy, "natGatewayId", {NAT_GATEWAY}).handles for policy in stack.each({NAT_POLICY}))
    )
    gateways = [gateway for gateway in stack.each({NAT_GATEWAY}) if not _is_private(gateway)]
    for gateway in gateways:
        handle = stack.handle_of(gateway)
        if handle in filtered:
            continue
        if len(gateways) > 1:
            yield _finding(gateway, "is one of two or more NAT gateways of the stack, and no NAT firewall stands at it")
        elif context.firewall_expected:
            yield _finding(gateway, "has no NAT firewall, although egress.firewall asks for one")
        elif filtered:
            yield _finding(gateway, "has no NAT firewall, and that of the stack stands at another gateway")
        elif handle in governed:
            yield _finding(gateway, "has policies, but no NAT firewall of the stack that asks them")


def _handles(stack: CloudStack, kind: str) -> frozenset[str]:
    return frozenset[str]().union(*(gateway_of(stack, each).handles for each in stack.each({kind})))


def _is_private(gateway: Subject) -> bool:
    return Reader().field(root(gateway.whole), "networkType").value == _PRIVATE


def _finding(gateway: Subject, message: str) -> Finding:
    return Finding(path="", message=message).of(gateway)


RULE = StackRule(
    id="EGR715",
    name="nat-gateway-unfiltered",
    severity=Severity.BLOCK,
    applies_to=frozenset({NAT_FIREWALL, NAT_GATEWAY, NAT_POLICY}),
    summary="The stack has one NAT gateway to the internet, or a NAT firewall at each; and one where the settings ask "
    "for it, or policies are written for it.",
    why="A second NAT gateway is a second way out, with addresses of its own: whoever gets a route to it is past the "
    "firewall. Policies without a firewall read like a restriction and are none.",
    remediation="let everything out by one NAT gateway, and register a NatFirewall with its id",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/nat-firewall",
    source="NAT Gateway: Create and manage an Internet NAT gateway; Cloud Firewall: Create an access control policy "
    "for a NAT firewall",
    check=_check,
)
