"""Elastic IP addresses; where they are says the gateway, what they share the bandwidth package."""

from dataclasses import dataclass
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf, Tags

_MOST: Final = 20
"""Of an account (Elastic IP Address, "Quotas")."""
_WORDS: Final = {
    "InternetChargeType": {"PayByBandwidth", "PayByTraffic"},
    "InstanceChargeType": {"PostPaid", "PrePaid"},
}
"""AllocateEipAddress."""


@dataclass(kw_only=True)
class Eip:
    """An address."""

    id: str
    address: str
    name: str
    description: str
    bandwidth: str
    charged_by: str
    gateway: str = ""
    """Where it is; empty for nowhere."""
    package: str = ""
    protected: bool = False


class Eips:
    """The addresses of the account."""

    def __init__(self, *, ids: Ids, tags: Tags) -> None:
        self.eips: Shelf[Eip] = Shelf("InvalidAllocationId.NotFound")
        self._ids, self._tags, self._given = ids, tags, 0

    def on(self, gateway: str) -> list[Eip]:
        """The addresses of a gateway."""
        return [each for each in self.eips if each.gateway == gateway]

    def actions(self) -> Actions:
        """The calls."""
        return {
            "AllocateEipAddress": self._allocate,
            "DescribeEipAddresses": self._describe,
            "ModifyEipAddressAttribute": self._modify,
            "ReleaseEipAddress": self._release,
        }

    def _allocate(self, p: Parameters) -> Answer:
        if len(self.eips) >= _MOST:
            raise Refused("QuotaExceeded.Eip", "Elastic IP address quota exceeded.")  # AllocateEipAddress
        for name, words in _WORDS.items():
            if p.get(name) and p[name] not in words:
                raise Refused("InvalidParameter", f'Specified value of "{name}" is not valid')  # AllocateEipAddress
        self._given += 1
        eip = Eip(
            id=self._ids.new("eip"),
            address=f"203.0.113.{self._given}",
            name=p.get("Name"),
            description=p.get("Description"),
            bandwidth=_megabits(p),
            charged_by=p.get("InternetChargeType", "PayByBandwidth"),
        )
        self.eips.put(eip.id, eip)
        return {"AllocationId": eip.id, "EipAddress": eip.address}

    def _describe(self, p: Parameters) -> Answer:
        return {"EipAddresses": {"EipAddress": [self._shown(each) for each in self.eips.read(p.get("AllocationId"))]}}

    def _shown(self, eip: Eip) -> Answer:
        return {
            "AllocationId": eip.id,
            "IpAddress": eip.address,
            "Name": eip.name,
            "Description": eip.description,
            "Bandwidth": eip.bandwidth,
            "InternetChargeType": eip.charged_by,
            "ChargeType": "PostPaid",
            "Status": "InUse" if eip.gateway else "Available",
            "InstanceId": eip.gateway,
            "InstanceType": "Nat" if eip.gateway else "",
            "BandwidthPackageId": eip.package,
            "DeletionProtection": eip.protected,
            "AllocationTime": "2026-11-23T00:00:00Z",
            "HDMonitorStatus": "OFF",
            "ISP": "BGP",
            "Mode": "NAT",
            "Netmode": "public",
            "ResourceGroupId": "rg-default",
            "Zone": "",
            "Tags": self._tags.of(eip.id),
        }

    def _modify(self, p: Parameters) -> Answer:
        eip = self.eips[p["AllocationId"]]
        eip.name, eip.description = p.get("Name", eip.name), p.get("Description", eip.description)
        eip.bandwidth = p.get("Bandwidth", eip.bandwidth)
        return {}

    def _release(self, p: Parameters) -> Answer:
        eip = self.eips[p["AllocationId"]]
        if eip.protected:  # DeleteNatGateway names the code; of an address it is told without one
            raise Refused("InvalidOperation.DeletionProtection", "The instance is protected from deletion.")
        if eip.gateway:
            raise Refused("IncorrectEipStatus", "Current elastic IP status does not support this operation.")
        self.eips.take(eip.id)
        return {}


def _megabits(p: Parameters) -> str:
    """AllocateEipAddress: 1 to 500 by bandwidth, 1 to 200 by traffic."""
    most = 200 if p.get("InternetChargeType") == "PayByTraffic" else 500
    if not 1 <= int(p.get("Bandwidth", "5")) <= most:
        raise Refused("InvalidParameter", 'Specified value of "Bandwidth" is not valid.')
    return p.get("Bandwidth", "5")
