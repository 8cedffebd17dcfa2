"""Policies at the internet boundary: a list of the account for each direction."""

from collections.abc import Iterator
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.cloudfw.address_books import AddressBooks
from tests.engine.alibaba.cloudfw.policies import Policy, PolicyList, check
from tests.engine.alibaba.state import Ids

_RESOLVED: Final = {"", "FQDN", "DNS", "FQDN_AND_DNS"}


class InternetPolicies:
    """The policies of the account."""

    def __init__(self, *, books: AddressBooks, ids: Ids) -> None:
        self.lists: Final = {"in": PolicyList(), "out": PolicyList()}
        self._books, self._ids = books, ids

    def __iter__(self) -> Iterator[Policy]:
        return (policy for each in self.lists.values() for policy in each.policies)

    def references(self, book: str) -> int:
        """How many speak of a book."""
        return sum(book in policy.books for policy in self)

    def actions(self) -> Actions:
        """The calls."""
        return {
            "AddControlPolicy": self._add,
            "DescribeControlPolicy": self._describe,
            "ModifyControlPolicy": self._modify,
            "ModifyControlPolicyPriority": self._move,
            "DeleteControlPolicy": self._delete,
        }

    def _add(self, p: Parameters) -> Answer:
        policies = self._list(p)
        policy = Policy(id=self._ids.new("acl"), said={}, applications=[])
        self._tell(policy, p)
        policies.insert(policy, p["NewOrder"])
        return {"AclUuid": policy.id}

    def _tell(self, policy: Policy, p: Parameters) -> None:
        changed = Policy(id=policy.id, said={**policy.said}, applications=policy.applications)
        changed.tell(p)
        if changed.said.get("DomainResolveType", "") not in _RESOLVED:  # words here, numbers at the other boundary
            raise Refused("ErrorParameters", "A parameter error occurred: DomainResolveType.")
        check(changed, self._books)
        policy.said, policy.applications = changed.said, changed.applications

    def _describe(self, p: Parameters) -> Answer:
        wanted = {name: each for name, each in self.lists.items() if p.get("Direction", name) == name}
        # The plugin's own tests against the cloud find no drift where a list was given: `ApplicationName` is empty.
        shown = [
            {**policy, "Direction": name, "ApplicationName": ""}
            for name, each in wanted.items()
            for policy in each.shown(p.get("AclUuid"))
        ]
        page, size = int(p.get("CurrentPage", "1")), int(p.get("PageSize", "10"))
        return {"Policys": shown[(page - 1) * size : page * size], "TotalCount": str(len(shown))}

    def _modify(self, p: Parameters) -> Answer:
        self._tell(self._list(p).with_id(p["AclUuid"]), p)
        return {}

    def _move(self, p: Parameters) -> Answer:
        policies = self._list(p)
        policies.move(policies.with_id(p["AclUuid"]), p["Order"])
        return {}

    def _delete(self, p: Parameters) -> Answer:
        policies = self._list(p)
        policies.policies.remove(policies.with_id(p["AclUuid"]))
        return {}

    def _list(self, p: Parameters) -> PolicyList:
        if p["Direction"] not in self.lists:
            raise Refused("ErrorParametersDirection", "The direction is invalid.")
        return self.lists[p["Direction"]]
