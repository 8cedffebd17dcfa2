"""VPCs, which are there before anything of ours, and vSwitches."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf, Tags, Uses

_MOST_VSWITCHES: Final = 150
"""Of one VPC (CreateVSwitch)."""
_RESERVED: Final = 4
"""Addresses of a vSwitch that nobody gets: the first and the last three (CreateVSwitch)."""


@dataclass(kw_only=True)
class Vpc:
    """A network, with its ranges."""

    id: str
    ranges: tuple[IPv4Network, ...]


@dataclass(kw_only=True)
class VSwitch:
    """A range of a VPC in one zone."""

    id: str
    vpc: str
    zone: str
    cidr: IPv4Network
    name: str
    description: str

    @property
    def free_addresses(self) -> int:
        """How many an empty one has."""
        return self.cidr.num_addresses - _RESERVED


class Networks:
    """The VPCs of the account, and their vSwitches."""

    def __init__(self, *, zones: frozenset[str], ids: Ids, uses: Uses, tags: Tags) -> None:
        self.vpcs: Shelf[Vpc] = Shelf("InvalidVpcId.NotFound")
        self.vswitches: Shelf[VSwitch] = Shelf("InvalidVSwitchId.NotFound")
        self._zones, self._ids, self._uses, self._tags = zones, ids, uses, tags

    def actions(self) -> Actions:
        """The calls."""
        return {
            "CreateVSwitch": self._create,
            "DescribeVSwitchAttributes": self._describe,
            "ModifyVSwitchAttribute": self._modify,
            "DeleteVSwitch": self._delete,
        }

    def _create(self, p: Parameters) -> Answer:
        vpc = self.vpcs[p["VpcId"]]
        if p["ZoneId"] not in self._zones:
            raise Refused("InvalidZoneId.NotFound", "Specified zone does not exist.", status=404)
        created = VSwitch(
            id=self._ids.new("vsw"),
            vpc=vpc.id,
            zone=p["ZoneId"],
            cidr=self._range(vpc, p["CidrBlock"]),
            name=p.get("VSwitchName"),
            description=p.get("Description"),
        )
        self.vswitches.put(created.id, created)
        return {"VSwitchId": created.id}

    def _range(self, vpc: Vpc, text: str) -> IPv4Network:
        """All of CreateVSwitch, "Error codes"."""
        try:
            cidr = IPv4Network(text)
        except ValueError:
            raise Refused("InvalidCidrBlock.Malformed", "Specified CIDR block is not valid.") from None
        if not 16 <= cidr.prefixlen <= 29:
            raise Refused("InvalidCirdrBlock.MaskLength", "Specified CIDR block is not valid.")  # sic
        if not any(cidr.subnet_of(each) for each in vpc.ranges):
            raise Refused("InvalidParameter", "Specified CIDR block is not valid in VPC.")
        beside = [each for each in self.vswitches if each.vpc == vpc.id]
        if any(cidr.overlaps(each.cidr) for each in beside):
            raise Refused("InvalidCidrBlock.Overlapped", "Specified CIDR block overlapped with other subnets.")
        if len(beside) >= _MOST_VSWITCHES:
            raise Refused("QuotaExceeded.VSwitch", "Virtual switch quota exceeded.")
        return cidr

    def _describe(self, p: Parameters) -> Answer:
        found = self.vswitches.read(p["VSwitchId"])
        if not found:
            raise Refused("InvalidVSwitchId.NotFound", "Specified virtual switch does not exist.", status=404)
        each = found[0]
        return {
            "VSwitchId": each.id,
            "VpcId": each.vpc,
            "ZoneId": each.zone,
            "CidrBlock": str(each.cidr),
            "VSwitchName": each.name,
            "Description": each.description,
            "Status": "Available",
            "Ipv6CidrBlock": "",
            "IsDefault": False,
            "AvailableIpAddressCount": each.free_addresses - len(self._uses.of(each.id)),
            "CreationTime": "2026-11-23T00:00:00Z",
            "Tags": self._tags.of(each.id),
        }

    def _modify(self, p: Parameters) -> Answer:
        each = self.vswitches[p["VSwitchId"]]
        each.name = p.get("VSwitchName", each.name)
        each.description = p.get("Description", each.description)
        return {}

    def _delete(self, p: Parameters) -> Answer:
        each = self.vswitches[p["VSwitchId"]]
        # DeleteVSwitch: what is in it has to be released first.
        if users := self._uses.of(each.id):
            raise Refused("DependencyViolation", f"Specified object has dependent resources: {', '.join(users)}")
        self.vswitches.take(each.id)
        self._uses.drop(each.id)
        return {}
