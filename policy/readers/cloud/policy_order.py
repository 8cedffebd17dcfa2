"""The order of Cloud Firewall's policies: what each NAT gateway has, and what is asked last."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy.readers.cloud.firewall_policies import FirewallPolicy, policy_of
from policy.readers.cloud.kinds import INTERNET_POLICY, INTERNET_POLICY_ORDER, NAT_GATEWAY, NAT_POLICY
from policy.readers.cloud.links import CloudStack
from policy.reading import Reader, root

_PLACE: Final = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Placed:
    """A policy and its place."""

    policy: FirewallPolicy
    place: int | None
    """1 is asked first; `None` where nobody says."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """The policies that are asked one after another."""

    gateway: str
    """The NAT gateway, as `CloudStack` names it; empty at the internet boundary."""
    policies: tuple[Placed, ...]
    """By their places; those without one at last, as the firewall puts them there."""


def nat_chains(stack: CloudStack) -> list[Chain]:
    """The policies of each NAT gateway. One whose gateway cannot be followed is in a chain of its own."""
    by_gateway: defaultdict[str, list[Placed]] = defaultdict(list)
    for subject in stack.each({NAT_POLICY}):
        leads = stack.follow(subject, "natGatewayId", {NAT_GATEWAY})
        gateway = ",".join(sorted(leads.handles)) if leads.handles and leads.is_known else f"? {subject.ref.name}"
        policy = policy_of(subject)
        by_gateway[gateway].append(Placed(policy=policy, place=_place(policy)))
    return [_chain(gateway, placed) for gateway, placed in sorted(by_gateway.items())]


def internet_chain(stack: CloudStack) -> Chain:
    """The stack's policies for what goes out at the internet boundary; other stacks may have some as well."""
    places = dict(_internet_places(stack))
    policies = (policy_of(subject) for subject in stack.each({INTERNET_POLICY}))
    return _chain(
        "",
        [
            Placed(policy=policy, place=places.get(stack.handle_of(policy.subject)))
            for policy in policies
            if policy.is_outbound
        ],
    )


def _internet_places(stack: CloudStack) -> Iterator[tuple[str, int]]:
    for order in stack.each({INTERNET_POLICY_ORDER}):
        place = Reader().number(Reader().field(root(order.whole), "order"))
        for handle in stack.follow(order, "aclUuid", {INTERNET_POLICY}).handles:
            if place is not None:
                yield handle, place


def _chain(gateway: str, placed: list[Placed]) -> Chain:
    ordered = sorted(placed, key=lambda each: (each.place is None, each.place or 0, each.policy.subject.ref.name))
    return Chain(gateway=gateway, policies=tuple(ordered))


def _place(policy: FirewallPolicy) -> int | None:
    text = policy.order.value
    return int(text) if isinstance(text, str) and _PLACE.fullmatch(text) is not None else None
