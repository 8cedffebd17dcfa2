"""EGR705: policies of which the last does not drop everything else, or whose order nobody can tell."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.firewall_policies import FirewallPolicy
from policy.readers.cloud.kinds import (
    ADDRESS_BOOK,
    INTERNET_POLICY,
    INTERNET_POLICY_ORDER,
    NAT_FIREWALL,
    NAT_GATEWAY,
    NAT_POLICY,
    NAT_POLICY_ORDER,
)
from policy.readers.cloud.links import CloudStack
from policy.readers.cloud.policy_order import Chain, Placed, internet_chain, nat_chains
from policy.readers.cloud.senders import senders_of
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Posture, Severity, StackRule, Subject

_DROP: Final = frozenset({"drop"})
_WATCHED: Final = frozenset({"drop", "log"})


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    stack = CloudStack(subjects)
    last_words = _WATCHED if context.posture is Posture.OBSERVE else _DROP
    chains = nat_chains(stack)
    for chain in chains:
        yield from _judge_places(chain)
        yield from _judge_end(chain, last_words)
    judged = {chain.gateway for chain in chains}
    for firewall in stack.each({NAT_FIREWALL}):
        if stack.follow(firewall, "natGatewayId", {NAT_GATEWAY}).handles.isdisjoint(judged):
            message = "its NAT gateway has no policies in the stack, and what fits none passes"
            yield Finding(path="", message=message).of(firewall)
    for order in stack.each({NAT_POLICY_ORDER}):
        yield Finding(path="order", message="moves a policy to another place than its newOrder says").of(order)
    yield from _judge_internet(internet_chain(stack), last_words, [*stack.each({ADDRESS_BOOK})])


def _judge_places(chain: Chain) -> Iterator[Finding]:
    """The provider moves a policy that has no place of its own to the end, behind the last one."""
    taken: dict[int, str] = {}
    for placed in chain.policies:
        subject = placed.policy.subject
        if placed.place is None:
            order = placed.policy.order.value
            said = shown(order) if isinstance(order, str) else "nothing"
            yield _about(placed, f"{said} is no place, counted from 1")
        elif placed.place in taken:
            yield _about(placed, f"{placed.place} is also the place of {taken[placed.place]}")
        elif placed.place > (free := max(taken, default=0) + 1):
            yield _about(placed, f"{placed.place} leaves out {free}, where anybody can put another policy")
        if placed.place is not None:
            taken[placed.place] = subject.ref.name


def _judge_end(chain: Chain, last_words: frozenset[str]) -> Iterator[Finding]:
    *others, last = chain.policies
    for placed in others:
        if placed.policy.is_for_everything:
            yield _about(placed, "decides about everything, so the policies after it are never asked")
        elif placed.policy.is_to_everywhere and placed.policy.lets_pass:
            yield _about(placed, "lets its senders out to everywhere, before the last policy is asked")
    if not last.policy.is_for_everything:
        yield _about(last, "is the last policy, and not about everything: what fits none passes")
    elif last.policy.action not in last_words:
        yield _lets_pass(last.policy)


def _judge_internet(chain: Chain, last_words: frozenset[str], books: list[Subject]) -> Iterator[Finding]:
    """Other stacks have policies there as well, so only that ours are followed by one for what our senders send."""
    opening = [placed for placed in chain.policies if placed.policy.lets_pass and not placed.policy.is_to_everywhere]
    ends = [placed for placed in chain.policies if placed.policy.is_to_everywhere]
    for placed in ends:
        if placed.policy.action not in last_words:
            yield _lets_pass(placed.policy)
    stopped = [senders_of(placed.policy, books) for placed in ends]
    for placed in opening:
        senders = senders_of(placed.policy, books)
        if not any(each.include(senders) for each in stopped):
            message = "no policy of the stack stops what else its senders send at the internet boundary"
            yield Finding(path="", message=message).of(placed.policy.subject)
    for end in ends:
        for placed in opening:
            if end.place is not None and placed.place is not None and placed.place > end.place:
                message = f"stands at {placed.place}, after {end.policy.subject.ref.name}, so it is never asked"
                yield Finding(path="", message=message).of(placed.policy.subject)


def _about(placed: Placed, message: str) -> Finding:
    return Finding(path="newOrder", message=message).of(placed.policy.subject)


def _lets_pass(policy: FirewallPolicy) -> Finding:
    action = Reader().field(root(policy.subject.whole), "aclAction")
    return Finding(path=action.path, message=f"{shown(action.value)} lets everything pass at last").of(policy.subject)


RULE = StackRule(
    id="EGR705",
    name="firewall-end-open",
    severity=Severity.BLOCK,
    applies_to=frozenset(
        {ADDRESS_BOOK, INTERNET_POLICY, INTERNET_POLICY_ORDER, NAT_FIREWALL, NAT_GATEWAY, NAT_POLICY, NAT_POLICY_ORDER}
    ),
    summary="The policies of a NAT gateway have the places 1, 2, 3 and so on, and the last drops everything (in "
    "`observe`: drops or logs); at the internet boundary such a policy follows what is opened.",
    why="Cloud Firewall lets pass what fits no policy, in strict mode too. Without a drop for everything at the very "
    "end, or with policies behind it, nothing is closed; a place left out is one that somebody else can fill.",
    remediation="write newOrder with the numbers from 1 without a gap, and at the last one a policy from 0.0.0.0/0 to "
    "0.0.0.0/0 with proto ANY, destPort 0/0, application ANY and aclAction drop, or log in observe",
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
""",
    url="https://www.alibabacloud.com/help/en/cloud-firewall/cloudfirewall/user-guide/nat-firewall",
    source="Cloud Firewall: Create an access control policy for a NAT firewall, Configure the mode of the access "
    "control engine; API 2017-12-07: CreateNatFirewallControlPolicy, NewOrder",
    check=_check,
)
