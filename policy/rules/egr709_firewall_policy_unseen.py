"""EGR709: a policy whose senders, destinations or ports stand in a book that the program does not show."""

from collections.abc import Iterator

from policy.readers.cloud.address_books import uses_in
from policy.readers.cloud.firewall_policies import policy_of
from policy.readers.cloud.kinds import ADDRESS_BOOK, EIPS, FIREWALL_POLICIES
from policy.readers.cloud.links import CloudStack
from policy.reading import shown
from policy.rule import UNKNOWN, Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    for use in uses_in(subjects):
        if use.book is None and use.policy.lets_out:
            message = f"{shown(use.name)} is no book of the stack, so nobody can see what is in it"
            yield Finding(path=use.node.path, message=message).of(use.policy.subject)
    stack = CloudStack(subjects)
    for subject in stack.each(FIREWALL_POLICIES):
        policy = policy_of(subject)
        if policy.is_outbound and policy.source.type == "net" and policy.source.node.value in (None, "", UNKNOWN):
            leads = stack.follow(subject, policy.source.node.path, EIPS, ())
            if not (leads.handles and leads.is_known):
                message = "is not known before the update, and no address of the stack's own"
                yield Finding(path=policy.source.node.path, message=message).of(subject)


RULE = StackRule(
    id="EGR709",
    name="firewall-policy-unseen",
    severity=Severity.BLOCK,
    applies_to=EIPS | FIREWALL_POLICIES | {ADDRESS_BOOK},
    summary="A policy that lets out names books of the same stack, and senders that are known or EIPs of the stack.",
    why="Whoever may change a book elsewhere opens what they like, and no preview shows it: the policy stays word for "
    "word the same. A name that no book has is refused only while the update runs.",
    remediation="register the book in the same program and give its groupName to the policy",
    example="""\
type: alicloud:cloudfirewall/addressBook:AddressBook
urn: gateways
inputs:
  groupName: gateways
  groupType: ip
  description: the egress gateways
  addressLists: [172.16.8.0/24]
---
type: alicloud:cloudfirewall/natFirewallControlPolicy:NatFirewallControlPolicy
urn: cnn
inputs:
  natGatewayId: ngw-1
  aclAction: accept
  description: the news
  direction: out
  source: gateways
  sourceType: group
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
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/manage-address-books",
    source="Cloud Firewall: Manage address books; API 2017-12-07: CreateNatFirewallControlPolicy, SourceType and "
    "DestinationType",
    check=_check,
)
