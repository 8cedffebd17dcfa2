"""EGR703: a policy that reads like a drop and is not in force, or not always."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.firewall_policies import policy_of
from policy.readers.cloud.kinds import FIREWALL_POLICIES
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_PERMANENT: Final = "Permanent"


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    policy = policy_of(subject)
    if not policy.is_outbound or policy.lets_pass:
        return
    told, whole = Reader(), root(subject.whole)
    release, repeat = told.field(whole, "release"), told.field(whole, "repeatType")
    if release.value == "false":
        told.report(release, "'false' switches the drop off")
    if isinstance(repeat.value, str) and repeat.value not in ("", _PERMANENT):
        told.report(repeat, f"{shown(repeat.value)} drops at some times only")
    yield from told.findings


RULE = ObjectRule(
    id="EGR703",
    name="firewall-drop-off",
    severity=Severity.BLOCK,
    applies_to=FIREWALL_POLICIES,
    summary="A policy that drops is released, and holds at all times.",
    why="It stands in the list like any other, and nobody sees that what it should stop goes on to the next policy, or "
    "out where there is none.",
    remediation='write release: "true" and repeatType: Permanent, or leave both out',
    example="""\
type: alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy
urn: everything-else
inputs:
  natGatewayId: ngw-1
  aclAction: drop
  description: everything else
  direction: out
  source: 0.0.0.0/0
  sourceType: net
  destination: 0.0.0.0/0
  destinationType: net
  proto: ANY
  destPort: 0/0
  destPortType: port
  applicationNameLists: [ANY]
  newOrder: "1"
  release: "true"
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/nat-firewall",
    source="Cloud Firewall, API 2017-12-07: CreateNatFirewallControlPolicy, Release and RepeatType",
    check=_check,
)
