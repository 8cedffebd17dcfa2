"""Virtual Private Cloud, API 2016-04-28: networks, routes, NAT gateways, elastic IP addresses."""

from ipaddress import IPv4Network
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters
from tests.engine.alibaba.state import Ids, Tags, Uses
from tests.engine.alibaba.vpc.bandwidth import BandwidthPackages
from tests.engine.alibaba.vpc.eips import Eips
from tests.engine.alibaba.vpc.nat_gateways import NatGateways
from tests.engine.alibaba.vpc.networks import Networks, Vpc
from tests.engine.alibaba.vpc.routing import Routing


class VpcProduct:
    """Everything that this API knows."""

    def __init__(self, *, zones: frozenset[str], ids: Ids, uses: Uses, tags: Tags) -> None:
        self.networks: Final = Networks(zones=zones, ids=ids, uses=uses, tags=tags)
        self.routing: Final = Routing(networks=self.networks, ids=ids, tags=tags)
        self.eips: Final = Eips(ids=ids, tags=tags)
        self.bandwidth: Final = BandwidthPackages(eips=self.eips, ids=ids, tags=tags)
        self.nat: Final = NatGateways(
            networks=self.networks, routing=self.routing, eips=self.eips, ids=ids, uses=uses, tags=tags
        )

    def add_vpc(self, name: str, *ranges: str) -> None:
        """A VPC with nothing in it but its own route table."""
        self.networks.vpcs.put(name, Vpc(id=name, ranges=tuple(map(IPv4Network, ranges))))
        self.routing.add_vpc(name)

    def actions(self) -> Actions:
        """The calls."""
        parts = (self.networks, self.routing, self.eips, self.bandwidth, self.nat)
        return {name: action for part in parts for name, action in part.actions().items()} | {
            "DeletionProtection": self._protect
        }

    def _protect(self, p: Parameters) -> Answer:
        shelf = {"NATGW": self.nat.gateways, "EIP": self.eips.eips}[p["Type"]]
        shelf[p["InstanceId"]].protected = p.flag("ProtectionEnable")
        return {}
