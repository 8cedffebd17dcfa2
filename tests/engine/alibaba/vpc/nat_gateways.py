"""NAT gateways: the addresses on them, and the SNAT entries that use these."""

from dataclasses import dataclass
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf, Tags, Uses
from tests.engine.alibaba.vpc.eips import Eips
from tests.engine.alibaba.vpc.networks import Networks, VSwitch
from tests.engine.alibaba.vpc.routing import ANYWHERE, NextHop, RouteEntry, Routing

_MOST_GATEWAYS: Final = 5
"""Of a VPC (NAT Gateway, "Quotas"), as the three that follow."""
_MOST_EIPS: Final = 20
_MOST_SNAT_ENTRIES: Final = 40
_MOST_OF_ONE_ENTRY: Final = 64


@dataclass(kw_only=True)
class NatGateway:
    """A gateway of the enhanced kind, to the internet."""

    id: str
    vpc: str
    vswitch: VSwitch
    name: str
    description: str
    charged_by: str
    protected: bool = False
    forwards: int = 0
    """How many DNAT entries it has; nobody here makes any, but a test may say so."""

    @property
    def snat_table(self) -> str:
        """The id of its one table."""
        return self.id.replace("ngw-", "stb-")


@dataclass(kw_only=True)
class SnatEntry:
    """As which addresses a vSwitch is seen."""

    id: str
    table: str
    vswitch: str
    addresses: tuple[str, ...]
    name: str


class NatGateways:
    """The gateways of the account."""

    def __init__(self, *, networks: Networks, routing: Routing, eips: Eips, ids: Ids, uses: Uses, tags: Tags) -> None:
        self.gateways: Shelf[NatGateway] = Shelf("InvalidNatGatewayId.NotFound")
        self.snat_entries: Shelf[SnatEntry] = Shelf("InvalidSnatEntryId.NotFound")
        self._networks, self._routing, self._eips = networks, routing, eips
        self._ids, self._uses, self._tags = ids, uses, tags

    def entries_of(self, gateway: NatGateway) -> list[SnatEntry]:
        """Its SNAT entries."""
        return [each for each in self.snat_entries if each.table == gateway.snat_table]

    def actions(self) -> Actions:
        """The calls."""
        return {
            "CreateNatGateway": self._create,
            "DescribeNatGateways": self._describe,
            "ModifyNatGatewayAttribute": self._modify,
            "DeleteNatGateway": self._delete,
            "AssociateEipAddress": self._associate,
            "UnassociateEipAddress": self._unassociate,
            "CreateSnatEntry": self._create_entry,
            "DescribeSnatTableEntries": self._describe_entries,
            "ModifySnatEntry": self._modify_entry,
            "DeleteSnatEntry": self._delete_entry,
        }

    def _create(self, p: Parameters) -> Answer:
        vpc, vswitch = self._networks.vpcs[p["VpcId"]], self._networks.vswitches[p["VSwitchId"]]
        if vswitch.vpc != vpc.id:  # CreateNatGateway
            raise Refused("OperationFailed.VswNotBelongToVpc", "The vSwitch is not in the VPC.")
        if sum(each.vpc == vpc.id for each in self.gateways) >= _MOST_GATEWAYS:
            raise Refused("QuotaExceeded.NatGateway", "The quota is reached.")  # code: not known here
        gateway = NatGateway(
            id=self._ids.new("ngw"),
            vpc=vpc.id,
            vswitch=vswitch,
            name=p.get("Name"),
            description=p.get("Description"),
            charged_by=p.get("InternetChargeType", "PayByLcu"),
        )
        self.gateways.put(gateway.id, gateway)
        self._uses.add(gateway.id, [vswitch.id])
        # CreateNatGateway: it adds a way to itself to the VPC's own table.
        hop = NextHop(kind="NatGateway", id=gateway.id)
        self._routing.of_vpc(vpc.id).entries.setdefault(ANYWHERE, RouteEntry(cidr=ANYWHERE, hop=hop, automatic=True))
        return {"NatGatewayId": gateway.id, "SnatTableIds": {"SnatTableId": [gateway.snat_table]}}

    def _describe(self, p: Parameters) -> Answer:
        found = self.gateways.read(p.get("NatGatewayId"))
        return {"NatGateways": {"NatGateway": [self._shown(each) for each in found]}}

    def _shown(self, gateway: NatGateway) -> Answer:
        return {
            "NatGatewayId": gateway.id,
            "VpcId": gateway.vpc,
            "Name": gateway.name,
            "Description": gateway.description,
            "NatType": "Enhanced",
            "NetworkType": "internet",
            "InternetChargeType": gateway.charged_by,
            "InstanceChargeType": "PostPaid",
            "EipBindMode": "MULTI_BINDED",
            "Spec": "",
            "Status": "Available",
            "NatGatewayPrivateInfo": {"VswitchId": gateway.vswitch.id, "IzNo": gateway.vswitch.zone},
            "SnatTableIds": {"SnatTableId": [gateway.snat_table]},
            "ForwardTableIds": {"ForwardTableId": [gateway.id.replace("ngw-", "ftb-")]},
            "DeletionProtection": gateway.protected,
            "IcmpReplyEnabled": True,
            "PrivateLinkEnabled": False,
        }

    def _modify(self, p: Parameters) -> Answer:
        gateway = self.gateways[p["NatGatewayId"]]
        gateway.name, gateway.description = p.get("Name", gateway.name), p.get("Description", gateway.description)
        return {}

    def _delete(self, p: Parameters) -> Answer:
        """Without `Force` only one that nothing needs (DeleteNatGateway, with the codes)."""
        gateway = self.gateways[p["NatGatewayId"]]
        if gateway.protected:
            raise Refused("InvalidOperation.DeletionProtection", "The instance is protected from deletion.")
        if self._eips.on(gateway.id):
            raise Refused("DependencyViolation.EIPS", "There are Eips on specified NatGateway, please unbind it first.")
        if self.entries_of(gateway):
            raise Refused("DependencyViolation.SnatEntry", "The gateway has SNAT entries.")
        leading = self._routing.leading_to(gateway.id)
        if any(not entry.automatic for _, entry in leading):
            raise Refused("DependencyViolation.RouterEntry", "A route entry leads to the gateway.")
        for table, entry in leading:
            del table.entries[entry.cidr]
        self.gateways.take(gateway.id)
        self._uses.drop(gateway.id)
        return {}

    def _associate(self, p: Parameters) -> Answer:
        eip, gateway = self._eips.eips[p["AllocationId"]], self.gateways[p["InstanceId"]]
        if p["InstanceType"] != "Nat":
            raise Refused("NotInTheStandIn", f"addresses of {p['InstanceType']}")
        if eip.gateway:
            raise Refused("IncorrectEipStatus", "Current elastic IP status does not support this operation.")
        if len(self._eips.on(gateway.id)) >= _MOST_EIPS:
            raise Refused("QuotaExceeded.EipOnNatGateway", "The gateway has no place left.")  # code: not known here
        eip.gateway = gateway.id
        return {}

    def _unassociate(self, p: Parameters) -> Answer:
        eip = self._eips.eips[p["AllocationId"]]
        if any(eip.address in each.addresses for each in self.snat_entries):  # a code that the plugin waits for
            raise Refused("InvalidIpStatus.HasBeenUsedBySnatTable", "The address is used by an SNAT entry.")
        eip.gateway = ""
        return {}

    def _create_entry(self, p: Parameters) -> Answer:
        """With the codes of CreateSnatEntry."""
        gateway = next((each for each in self.gateways if each.snat_table == p["SnatTableId"]), None)
        if gateway is None:
            raise Refused("InvalidSnatTableId.NotFound", "Specified SNAT table does not exist.", status=404)
        vswitch = self._networks.vswitches[p["SourceVSwitchId"]]
        if vswitch.vpc != gateway.vpc:
            raise Refused("INVALID_PARAMETER", "The parameter invalid.")
        entries = self.entries_of(gateway)
        if any(each.vswitch == vswitch.id for each in entries):
            raise Refused("Forbidden.SourceVSwitchId.Duplicated", "The specified SourceCIDR is duplicated.")
        if len(entries) >= _MOST_SNAT_ENTRIES:
            raise Refused("Forbidden.SnatEntryCountLimited", "The SNAT table has reached its limit.")
        entry = SnatEntry(
            id=self._ids.new("snat"),
            table=gateway.snat_table,
            vswitch=vswitch.id,
            addresses=self._pool(gateway, p["SnatIp"]),
            name=p.get("SnatEntryName"),
        )
        self.snat_entries.put(entry.id, entry)
        self._uses.add(entry.id, [vswitch.id])
        return {"SnatEntryId": entry.id}

    def _pool(self, gateway: NatGateway, text: str) -> tuple[str, ...]:
        addresses = tuple(text.split(","))
        if len(addresses) > _MOST_OF_ONE_ENTRY:
            raise Refused("SNAT_IP_POOL_COUNT_TOO_MANY", "The Snat pool ip too many.")
        if not {*addresses} <= {each.address for each in self._eips.on(gateway.id)}:
            raise Refused("InvalidSnatIp.NotFound", "Specified SnatIp is not found on the NAT Gateway", status=404)
        return addresses

    def _describe_entries(self, p: Parameters) -> Answer:
        found = [each for each in self.snat_entries.read(p.get("SnatEntryId")) if each.table == p["SnatTableId"]]
        return {"SnatTableEntries": {"SnatTableEntry": [self._shown_entry(each) for each in found]}}

    def _shown_entry(self, entry: SnatEntry) -> Answer:
        return {
            "SnatEntryId": entry.id,
            "SnatTableId": entry.table,
            "SnatIp": ",".join(entry.addresses),
            "SnatEntryName": entry.name,
            "SourceVSwitchId": entry.vswitch,
            "SourceCIDR": str(self._networks.vswitches[entry.vswitch].cidr),
            "Status": "Available",
            "EipAffinity": "0",
        }

    def _modify_entry(self, p: Parameters) -> Answer:
        entry = self.snat_entries[p["SnatEntryId"]]
        entry.name = p.get("SnatEntryName", entry.name)
        if "SnatIp" in p:
            gateway = next(each for each in self.gateways if each.snat_table == entry.table)
            entry.addresses = self._pool(gateway, p["SnatIp"])
        return {}

    def _delete_entry(self, p: Parameters) -> Answer:
        self.snat_entries.take(p["SnatEntryId"])
        self._uses.drop(p["SnatEntryId"])
        return {}
