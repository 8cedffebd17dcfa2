"""EGR717: a DNAT entry on the NAT gateway of the egress, or one that gives an instance a way out."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import FORWARD_ENTRY, NAT_GATEWAY
from policy.readers.cloud.links import CloudStack
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_ANY: Final = "any"
_PORTS: Final = ("externalPort", "internalPort", "ipProtocol")


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    gateways = {stack.handle_of(gateway) for gateway in stack.each({NAT_GATEWAY})}
    for entry in stack.each({FORWARD_ENTRY}):
        leads = stack.follow(entry, "forwardTableId", {NAT_GATEWAY})
        reader = Reader()
        values = [reader.field(root(entry.whole), key).value for key in _PORTS]
        if not leads.is_known or leads.handles == frozenset():
            yield Finding(path="forwardTableId", message="leads to a NAT gateway that cannot be followed").of(entry)
        elif not gateways.isdisjoint(leads.handles):
            message = "is on the NAT gateway of the egress, for which no NAT firewall can be created then"
            yield Finding(path="forwardTableId", message=message).of(entry)
        elif any(f"{value}".lower() == _ANY for value in values):
            message = "maps all ports, so the instance behind it goes out by this address"
            yield Finding(path="", message=message).of(entry)


RULE = StackRule(
    id="EGR717",
    name="nat-forwards-in",
    severity=Severity.BLOCK,
    applies_to=frozenset({FORWARD_ENTRY, NAT_GATEWAY}),
    summary="The NAT gateway of the egress has no DNAT entries, and no entry on another maps all ports of an address.",
    why="Cloud Firewall takes no NAT gateway that has one. A mapping of all ports also works the other way: what is "
    "behind it leaves by that address, and SNAT no longer applies to it.",
    remediation="remove the entry; let traffic in by a load balancer, whose address nothing goes out by",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
""",
    url="https://www.alibabacloud.com/help/en/nat-gateway/user-guide/create-and-manage-internet-nat-gateways",
    source="NAT Gateway: Create and manage an Internet NAT gateway; Cloud Firewall: the conditions of a NAT firewall",
    check=_check,
)
