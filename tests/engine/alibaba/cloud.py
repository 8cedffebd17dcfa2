"""The stand-in itself: products that know of each other, faults, and a log of everything that was asked."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.calls import Calls
from tests.engine.alibaba.cloudfw import CloudFirewallProduct
from tests.engine.alibaba.cs import Body, CsProduct
from tests.engine.alibaba.ecs import EcsProduct
from tests.engine.alibaba.faults import Faults
from tests.engine.alibaba.state import Ids, Tags, Uses
from tests.engine.alibaba.vpc import VpcProduct

_ZONES: Final = frozenset({"g", "h", "i", "j", "k"})
_ACCOUNT: Final = "1000000000000001"


class AlibabaCloud:
    """One account in one region, with a VPC and a cluster that are there already.

    Attributes:
        calls: what was asked.
        faults: what is to go wrong.
        watchers: who looks at the cloud after every call that was done.

    A copy of it goes its own way.
    """

    def __init__(self, *, region: str, vpc: str, ranges: tuple[str, ...], cluster: str) -> None:
        ids, uses, tags = Ids(), Uses(), Tags()
        self.calls: Final = Calls()
        self.faults: Final = Faults()
        self.watchers: Final[list[Callable[[], None]]] = []
        self.vpc: Final = VpcProduct(
            zones=frozenset(f"{region}-{zone}" for zone in _ZONES), ids=ids, uses=uses, tags=tags
        )
        self.ecs: Final = EcsProduct(networks=self.vpc.networks, ids=ids, uses=uses, tags=tags)
        self.cs: Final = CsProduct(
            clusters=frozenset({cluster}), networks=self.vpc.networks, ecs=self.ecs, ids=ids, uses=uses
        )
        self.firewall: Final = CloudFirewallProduct(vpc=self.vpc, ids=ids, uses=uses)
        self.vpc.add_vpc(vpc, *ranges)
        self._actions: Actions = {
            **self.vpc.actions(),
            **self.ecs.actions(),
            **self.firewall.actions(),
            **tags.actions(),
            "GetCallerIdentity": _identity,
        }

    def left(self) -> list[str]:
        """The ids of everything that somebody has made and nobody has taken away."""
        vpc, firewall = self.vpc, self.firewall
        policies = (*firewall.nat_policies, *firewall.internet_policies)
        shelves = (
            *(vpc.networks.vswitches, vpc.eips.eips, vpc.bandwidth.packages, vpc.nat.gateways, vpc.nat.snat_entries),
            *(self.ecs.groups, self.cs.pools, firewall.books.books, firewall.firewalls.firewalls, policies),
            [each for each in vpc.routing.tables if each.kind == "Custom"],
        )
        return [each.id for shelf in shelves for each in shelf]

    def rpc(self, action: str, values: Mapping[str, str]) -> tuple[int, Answer]:
        """A call by its name; says HTTP status and answer."""

        def done() -> Answer:
            if action not in self._actions:
                raise Refused("NotInTheStandIn", action, status=404)
            return self._actions[action](Parameters(values))

        return self._do(action, values, done)

    def roa(self, method: str, path: str, query: Mapping[str, str], body: Body) -> tuple[int, Answer]:
        """A call by method and path; says HTTP status and answer."""
        try:
            action, done = self.cs.action(method, path)
        except Refused as refused:
            return self._do(f"{method} {path}", query, _refuse(refused))
        return self._do(action, {"path": path, **query, **body}, lambda: done(body))

    def _do(self, action: str, said: Mapping[str, Any], done: Callable[[], Answer]) -> tuple[int, Answer]:
        refused: Refused | None = None
        answer: Answer = {}
        try:
            self.faults.before(action)
            answer = done()
            self.faults.after(action)
        except Refused as each:
            refused = each
        except Exception as each:  # noqa: BLE001 - a bug of ours ends the call; otherwise the plugin asks for ever
            refused = Refused("StandInBug", repr(each))
        self.calls.add(action, said, None if refused is None else refused.code)
        for watcher in self.watchers:
            watcher()
        if refused is not None:
            return refused.status, {"RequestId": "stand-in", **refused.body}
        return HTTPStatus.OK, {"RequestId": "stand-in", **answer}


def _identity(_: Parameters) -> Answer:
    return {"AccountId": _ACCOUNT, "IdentityType": "Account"}


def _refuse(refused: Refused) -> Callable[[], Answer]:
    def done() -> Answer:
        raise refused

    return done
