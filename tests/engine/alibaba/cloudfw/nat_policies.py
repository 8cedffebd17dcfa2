"""Policies at the NAT boundary: a list for each gateway."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.cloudfw.address_books import AddressBooks
from tests.engine.alibaba.cloudfw.policies import Policy, PolicyList, check
from tests.engine.alibaba.state import Ids

_OUT: Final = "out"


class NatPolicies:
    """The policies of all gateways.

    Attributes:
        spread: how much the edition allows; a policy takes its sources times its destinations.
    """

    def __init__(self, *, books: AddressBooks, ids: Ids) -> None:
        self.spread = 10_000
        self._books, self._ids = books, ids
        self._lists: defaultdict[str, PolicyList] = defaultdict(PolicyList)

    def __iter__(self) -> Iterator[Policy]:
        return (policy for each in self._lists.values() for policy in each.policies)

    def of(self, gateway: str) -> PolicyList:
        """Those of one gateway."""
        return self._lists[gateway]

    def references(self, book: str) -> int:
        """How many speak of a book."""
        return sum(book in policy.books for policy in self)

    def actions(self) -> Actions:
        """The calls."""
        return {
            "CreateNatFirewallControlPolicy": self._create,
            "DescribeNatFirewallControlPolicy": self._describe,
            "ModifyNatFirewallControlPolicy": self._modify,
            "ModifyNatFirewallControlPolicyPosition": self._move,
            "DeleteNatFirewallControlPolicy": self._delete,
        }

    def _create(self, p: Parameters) -> Answer:
        policies = self._list(p)
        policy = Policy(id=self._ids.new("acl"), said={}, applications=[])
        policy.tell(p)
        check(policy, self._books)
        self._check_spread(policy)
        policies.insert(policy, p["NewOrder"])
        return {"AclUuid": policy.id}

    def _check_spread(self, new: Policy) -> None:
        if sum(map(self._spread_of, [*self, new])) > self.spread:
            raise Refused("ErrorAclExtendedCountExceed", "The quota for access control policies is exhausted.")

    def _spread_of(self, policy: Policy) -> int:
        spread = 1
        for book in policy.books:
            spread *= len(self._books.named(book).entries)
        return spread

    def _describe(self, p: Parameters) -> Answer:
        found = self._list(p).shown(p.get("AclUuid"))
        more = {"NatGatewayId": p["NatGatewayId"], "Direction": _OUT}
        shown = [{**each, **more, "DomainResolveType": int(each["DomainResolveType"] or 0)} for each in found]
        return {"Policys": shown, "TotalCount": str(len(shown))}

    def _modify(self, p: Parameters) -> Answer:
        policy = self._list(p).with_id(p["AclUuid"])
        changed = Policy(id=policy.id, said={**policy.said}, applications=policy.applications)
        changed.tell(p)
        check(changed, self._books)
        policy.tell(p)
        return {}

    def _move(self, p: Parameters) -> Answer:
        policies = self._list(p)
        policies.move(policies.with_id(p["AclUuid"]), p["NewOrder"])
        return {}

    def _delete(self, p: Parameters) -> Answer:
        policies = self._list(p)
        policies.policies.remove(policies.with_id(p["AclUuid"]))
        return {}

    def _list(self, p: Parameters) -> PolicyList:
        if p.get("Direction", _OUT) != _OUT:
            raise Refused("ErrorParametersDirection", "The direction is invalid.")
        return self.of(p["NatGatewayId"])
