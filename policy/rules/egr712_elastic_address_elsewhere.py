"""EGR712: an EIP on anything but the NAT gateway that the egress leaves by."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import ANYCAST_ATTACHMENT, EIP_ASSOCIATION, LOAD_BALANCERS, NAT_GATEWAY
from policy.readers.cloud.links import CloudStack
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_TYPES: Final = {EIP_ASSOCIATION: "instanceType", ANYCAST_ATTACHMENT: "bindInstanceType"}
_LOAD_BALANCER: Final = "SlbInstance"
"""It is reached by its address, and nothing behind it goes out by it (VPC: IPv4 gateway overview)."""
_LOAD_BALANCER_ID: Final = "lb-"
_NAT: Final = "Nat"


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    gateways = {stack.handle_of(gateway) for gateway in stack.each({NAT_GATEWAY})}
    for subject in stack.each(_TYPES):
        kind = Reader().field(root(subject.whole), _TYPES[subject.group_kind])
        leads = stack.follow(subject, "instanceId", {NAT_GATEWAY})
        balancers = stack.follow(subject, "instanceId", LOAD_BALANCERS, ())
        if balancers.is_known and balancers.handles and kind.value in (None, "", _LOAD_BALANCER):
            continue
        # Without a type, the provider tells it by the id.
        is_named = all(handle.startswith(_LOAD_BALANCER_ID) for handle in leads.handles)
        is_balancer = is_named and (
            kind.value == _LOAD_BALANCER or (kind.value in (None, "") and leads.handles != frozenset())
        )
        if is_balancer:
            continue
        if kind.value not in (None, "", _NAT):
            message = f"{shown(kind.value)}: it reaches the internet by this address, past the NAT gateway"
            yield Finding(path=kind.path, message=message).of(subject)
        elif not (leads.handles and leads.is_known and leads.handles <= gateways):
            message = "leads to no NAT gateway of the stack"
            yield Finding(path="instanceId", message=message).of(subject)


RULE = StackRule(
    id="EGR712",
    name="elastic-address-elsewhere",
    severity=Severity.BLOCK,
    applies_to=LOAD_BALANCERS | {ANYCAST_ATTACHMENT, EIP_ASSOCIATION, NAT_GATEWAY},
    summary="EIPs of the stack are on its NAT gateway, or on load balancers.",
    why="An instance, a network interface or a virtual address with an EIP reaches the internet by it at once, "
    "whatever its route table says. Another NAT gateway has another firewall, or none.",
    remediation="write instanceType: Nat and the id of the NAT gateway that the stack creates; on a load balancer an "
    "EIP only lets in",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
---
type: alicloud:ecs/eipAssociation:EipAssociation
urn: eip-1
inputs: {allocationId: eip-1, instanceType: Nat}
propertyDependencies: {instanceId: [egress]}
""",
    url="https://www.alibabacloud.com/help/en/vpc/user-guide/ipv4-gateway-overview",
    source="VPC: IPv4 gateway overview; API 2016-04-28: AssociateEipAddress, InstanceType",
    check=_check,
)
