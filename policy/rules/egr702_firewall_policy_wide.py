"""EGR702: a policy that lets out to what nobody can answer for, or lets out everybody."""

from collections.abc import Iterator

from policy.destinations import destinations_of
from policy.facts.addresses import is_wide, parse_network
from policy.facts.names import is_public_suffix
from policy.readers.cloud.firewall_policies import ANY, FirewallPolicy, Side, policy_of
from policy.readers.cloud.kinds import FIREWALL_POLICIES
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_LOG = "log"


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    policy = policy_of(subject)
    if not policy.lets_out:
        return
    if policy.action == _LOG and policy.is_to_everywhere:
        return  # the last policy while traffic is only watched: EGR705 sees that it is, and the last
    reader = Reader()
    protocol = reader.field(root(subject.whole), "proto")
    if policy.protocol == ANY:
        reader.report(protocol, f"{ANY} is every protocol")
    _judge_side(reader, policy.source, "every sender")
    _judge_destination(reader, subject, policy)
    _judge_ports(reader, policy)
    yield from reader.findings


def _judge_side(reader: Reader, side: Side, what: str) -> None:
    if side.type == "location":
        reader.report(side.node, f"{shown(side.text)} is a part of the world")
    elif side.type == "net" and side.text is not None and _is_wide(side.text):
        reader.report(side.node, f"{side.text} is {what}" if side.is_everything else f"{side.text} is too wide")


def _judge_destination(reader: Reader, subject: Subject, policy: FirewallPolicy) -> None:
    _judge_side(reader, policy.destination, "every destination")
    places = destinations_of(subject)
    for path in places.any_host:
        reader.report(Node(value=None, path=path), "* is every host")
    for place in places.names:
        if place.wildcard and is_public_suffix(place.name):
            reader.report(Node(value=None, path=place.path), f"{place.text} is every host under a public suffix")


def _judge_ports(reader: Reader, policy: FirewallPolicy) -> None:
    if policy.ports is not None and policy.ports.is_wide and policy.protocol in ("TCP", "UDP"):
        text = policy.port.value
        said = "is missing: every port" if text in (None, "") else f"{shown(text)} is more than one service's ports"
        reader.report(policy.port, said)


def _is_wide(text: str) -> bool:
    try:
        return is_wide([parse_network(text)])
    except ValueError:
        return False


RULE = ObjectRule(
    id="EGR702",
    name="firewall-policy-wide",
    severity=Severity.BLOCK,
    applies_to=FIREWALL_POLICIES,
    summary="A policy of Cloud Firewall lets out narrow senders, to destinations that have one owner, by one protocol "
    "on their own ports. `log` lets out too.",
    why="Policies are asked in their order, and the first that fits decides: one wide `accept` undoes the `drop` after "
    "it, and a `log` in its place does the same and only writes it down.",
    remediation="name the sender's range or book, the destination's addresses or names, TCP or UDP, and its ports; "
    "while everything is to be watched only, set the posture to observe, and write log in the last policy",
    example="""\
type: alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy
urn: cnn
inputs:
  natGatewayId: ngw-1
  aclAction: accept
  description: the news
  direction: out
  source: 172.16.8.0/24
  sourceType: net
  destination: edition.cnn.com
  destinationType: domain
  domainResolveType: 0
  proto: TCP
  destPort: 443/443
  destPortType: port
  applicationNameLists: [HTTPS]
  newOrder: "1"
---
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
  newOrder: "2"
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/"
    "how-access-control-policies-work-1",
    source="Cloud Firewall: How access control policies work; API 2017-12-07: CreateNatFirewallControlPolicy, "
    "AddControlPolicy; the Public Suffix List",
    check=_check,
)
