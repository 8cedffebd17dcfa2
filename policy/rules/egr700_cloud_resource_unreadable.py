"""EGR700: a cloud resource that does not say in the preview, in the API's words, what rules have to know."""

from collections.abc import Iterable

from policy.readers.cloud.fields import FIELD_KINDS, unreadable_fields
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    return unreadable_fields(subject)


RULE = ObjectRule(
    id="EGR700",
    name="cloud-resource-unreadable",
    severity=Severity.BLOCK,
    applies_to=FIELD_KINDS,
    summary="What rules judge of Alibaba Cloud's resources is known in the preview, of its right type, and one of the "
    "API's words. Ids may be unknown: they are followed through the program.",
    why="The provider passes on whatever it is given: `Drop` is refused only while the update runs, after the policies "
    "before it are in force. A value that only the update knows could open anything.",
    remediation="write the value as a known one, in the word of the API that the message lists",
    example="""\
type: alicloud:cloudfirewall/policyAdvancedConfig:PolicyAdvancedConfig
urn: egress
inputs: {internetSwitch: "on"}
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/nat-firewall",
    source="pulumi-alicloud 3.105.0; Cloud Firewall, API 2017-12-07: CreateNatFirewallControlPolicy, AddControlPolicy, "
    "CreateSecurityProxy, AddAddressBook; the API references of VPC, ECS, CS and ESS",
    exceptable=False,
    check=_check,
)
