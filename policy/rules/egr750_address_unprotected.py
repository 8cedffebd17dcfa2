"""EGR750: an address of the egress, its NAT gateway or its firewall that anybody may delete."""

from collections.abc import Iterable

from policy.readers.cloud.protection import PROTECTED_KINDS, is_to_be_protected, missing_protection
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterable[Finding]:
    return missing_protection(subject) if is_to_be_protected(subject, context) else ()


RULE = ObjectRule(
    id="EGR750",
    name="address-unprotected",
    severity=Severity.BLOCK,
    applies_to=PROTECTED_KINDS,
    summary="EIPs, NAT gateways and NAT firewalls have deletionProtection, where there is one, and protect.",
    why="Firewalls outside know the addresses. Once released, an address belongs to somebody else, who is then "
    "trusted; without its firewall, the NAT gateway lets out everything.",
    remediation="write deletionProtection: true and the resource option protect; to be rid of them, write "
    "egress.addresses.protected: nothing first",
    example="""\
type: alicloud:vpc/natGateway:NatGateway
urn: egress
protect: true
inputs: {vpcId: vpc-1, vswitchId: vsw-9, natType: Enhanced, deletionProtection: true}
---
type: alicloud:ecs/eipAddress:EipAddress
urn: eip-1
protect: true
inputs: {addressName: egress-1, bandwidth: "100", internetChargeType: PayByTraffic, deletionProtection: true}
""",
    url="https://www.alibabacloud.com/help/doc-detail/140968.htm",
    source="VPC, API 2016-04-28: DeletionProtection; Pulumi: the resource option protect",
    check=_check,
)
