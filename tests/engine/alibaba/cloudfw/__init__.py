"""Cloud Firewall, API 2017-12-07: books, NAT firewalls, and the policies of both boundaries."""

from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters
from tests.engine.alibaba.cloudfw.address_books import AddressBooks
from tests.engine.alibaba.cloudfw.internet_policies import InternetPolicies
from tests.engine.alibaba.cloudfw.nat_firewalls import NatFirewalls
from tests.engine.alibaba.cloudfw.nat_policies import NatPolicies
from tests.engine.alibaba.state import Ids, Uses
from tests.engine.alibaba.vpc import VpcProduct


class CloudFirewallProduct:
    """Everything that this API knows."""

    def __init__(self, *, vpc: VpcProduct, ids: Ids, uses: Uses) -> None:
        self.books: Final = AddressBooks(ids=ids, references=self._references)
        self.firewalls: Final = NatFirewalls(vpc=vpc, ids=ids, uses=uses)
        self.nat_policies: Final = NatPolicies(books=self.books, ids=ids)
        self.internet_policies: Final = InternetPolicies(books=self.books, ids=ids)
        self.strict_internet = "off"

    def actions(self) -> Actions:
        """The calls."""
        parts = (self.books, self.firewalls, self.nat_policies, self.internet_policies)
        return {name: action for part in parts for name, action in part.actions().items()} | {
            "DescribePolicyAdvancedConfig": self._strictness,
            "ModifyPolicyAdvancedConfig": self._set_strictness,
        }

    def _strictness(self, _: Parameters) -> Answer:
        return {"InternetSwitch": self.strict_internet}

    def _set_strictness(self, p: Parameters) -> Answer:
        self.strict_internet = p["InternetSwitch"]
        return {}

    def _references(self, book: str) -> int:
        return self.nat_policies.references(book) + self.internet_policies.references(book)
