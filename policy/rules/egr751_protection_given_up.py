"""EGR751: what the settings no longer protect. A warning: they say so for whoever wants to be rid of it."""

from collections.abc import Iterable

from policy.readers.cloud.protection import PROTECTED_KINDS, is_to_be_protected, missing_protection
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterable[Finding]:
    return () if is_to_be_protected(subject, context) else missing_protection(subject)


RULE = ObjectRule(
    id="EGR751",
    name="protection-given-up",
    severity=Severity.WARN,
    applies_to=PROTECTED_KINDS,
    summary="egress.addresses.protected is `all`, but while addresses, gateway or firewall are being given up.",
    why="It is the first step of the way out, and looks the same when somebody forgot it there: the next change that "
    "replaces an EIP takes the address that firewalls outside know.",
    remediation="write egress.addresses.protected: all again, unless they are to go",
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
