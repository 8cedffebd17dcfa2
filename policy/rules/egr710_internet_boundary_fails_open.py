"""EGR710: an internet boundary that lets pass what it does not recognise."""

from collections.abc import Iterator

from policy.readers.cloud.kinds import ADVANCED_CONFIG
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    switch = Reader().field(root(subject.whole), "internetSwitch")
    if switch.value in (None, "off"):
        said = "is missing" if switch.value is None else shown(switch.value)
        yield Finding(path=switch.path, message=f"{said}: what the firewall does not recognise passes")


RULE = ObjectRule(
    id="EGR710",
    name="internet-boundary-fails-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({ADVANCED_CONFIG}),
    summary="Where a program sets the mode of the internet boundary, it is the strict one.",
    why="Loose is the default: traffic whose application or name the firewall does not recognise passes, whatever the "
    "last policy says. TLS without a server name is enough for that.",
    remediation='write internetSwitch: "on"',
    example="""\
type: alicloud:cloudfirewall/policyAdvancedConfig:PolicyAdvancedConfig
urn: strict
inputs: {internetSwitch: "on"}
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/"
    "configure-the-strict-mode-of-the-internet-firewall",
    source="Cloud Firewall: Configure the mode of the access control engine; API 2017-12-07: "
    "ModifyPolicyAdvancedConfig",
    check=_check,
)
