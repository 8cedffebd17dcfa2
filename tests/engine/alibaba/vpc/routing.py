"""Route tables, who uses them, and their entries."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Final, Literal

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf, Tags
from tests.engine.alibaba.vpc.networks import Networks

ANYWHERE: Final = "0.0.0.0/0"
_MOST_TABLES: Final = 9
"""Custom ones of a VPC (VPC, "Limits")."""
_CLOUD_SERVICES: Final = IPv4Network("100.64.0.0/10")


@dataclass(frozen=True, kw_only=True)
class NextHop:
    """Where an entry sends."""

    kind: str
    id: str


@dataclass(kw_only=True)
class RouteEntry:
    """An entry of a table; a destination has one."""

    cidr: str
    hop: NextHop
    name: str = ""
    description: str = ""
    diverted_from: NextHop | None = None
    """Where it sent before a firewall was switched on."""
    automatic: bool = False
    """The cloud put it there, and takes it away with what it leads to."""


@dataclass(kw_only=True)
class RouteTable:
    """A table, and the vSwitches that use it; all others use the VPC's own."""

    id: str
    vpc: str
    kind: Literal["System", "Custom"]
    name: str = ""
    description: str = ""
    learns: bool = True
    vswitches: list[str] = field(default_factory=list[str])
    entries: dict[str, RouteEntry] = field(default_factory=dict[str, RouteEntry])


class Routing:
    """The route tables of the account."""

    def __init__(self, *, networks: Networks, ids: Ids, tags: Tags) -> None:
        self.tables: Shelf[RouteTable] = Shelf("InvalidRouteTableId.NotFound")
        self._networks, self._ids, self._tags = networks, ids, tags

    def add_vpc(self, vpc: str) -> RouteTable:
        """The table that a VPC has from its beginning."""
        table = RouteTable(id=self._ids.new("vtb"), vpc=vpc, kind="System")
        self.tables.put(table.id, table)
        return table

    def of_vpc(self, vpc: str) -> RouteTable:
        """The VPC's own table."""
        return next(each for each in self.tables if each.vpc == vpc and each.kind == "System")

    def of_vswitch(self, vswitch: str) -> RouteTable | None:
        """The table of a vSwitch's own, if it has one."""
        return next((each for each in self.tables if vswitch in each.vswitches), None)

    def leading_to(self, hop: str) -> list[tuple[RouteTable, RouteEntry]]:
        """Entries that send there, or did so before they were diverted."""
        return [
            (table, entry)
            for table in self.tables
            for entry in table.entries.values()
            if hop in {entry.hop.id, "" if entry.diverted_from is None else entry.diverted_from.id}
        ]

    def actions(self) -> Actions:
        """The calls."""
        return {
            "CreateRouteTable": self._create,
            "DescribeRouteTableList": self._describe,
            "ModifyRouteTableAttributes": self._modify,
            "DeleteRouteTable": self._delete,
            "AssociateRouteTable": self._associate,
            "UnassociateRouteTable": self._unassociate,
            "CreateRouteEntry": self._create_entry,
            "DescribeRouteEntryList": self._describe_entries,
            "ListVpcPublishedRouteEntries": _published,
            "ModifyRouteEntry": self._modify_entry,
            "DeleteRouteEntry": self._delete_entry,
        }

    def _create(self, p: Parameters) -> Answer:
        vpc = self._networks.vpcs[p["VpcId"]]
        if sum(each.vpc == vpc.id and each.kind == "Custom" for each in self.tables) >= _MOST_TABLES:
            raise Refused("QuotaExceeded.RouteTable", "VPC RouteTable quota exceeded.")  # CreateRouteTable
        table = RouteTable(
            id=self._ids.new("vtb"),
            vpc=vpc.id,
            kind="Custom",
            name=p.get("RouteTableName"),
            description=p.get("Description"),
        )
        self.tables.put(table.id, table)
        self._tags.add(table.id, p)
        return {"RouteTableId": table.id}

    def _describe(self, p: Parameters) -> Answer:
        found = [each for each in self.tables.read(p.get("RouteTableId")) if p.get("VpcId") in {"", each.vpc}]
        return {"RouterTableList": {"RouterTableListType": [self._shown(each) for each in found]}}

    def _shown(self, table: RouteTable) -> Answer:
        return {
            "RouteTableId": table.id,
            "RouteTableType": table.kind,
            "RouterId": table.vpc.replace("vpc-", "vrt-"),
            "VpcId": table.vpc,
            "RouteTableName": table.name,
            "Description": table.description,
            "AssociateType": "VSwitch",
            "RoutePropagationEnable": table.learns,
            "ResourceGroupId": "rg-default",
            "Status": "Available",
            "CreationTime": "2026-11-23T00:00:00Z",
            "VSwitchIds": {"VSwitchId": [*table.vswitches]},
            "Tags": self._tags.of(table.id),
        }

    def _modify(self, p: Parameters) -> Answer:
        table = self.tables[p["RouteTableId"]]
        table.name = p.get("RouteTableName", table.name)
        table.description = p.get("Description", table.description)
        if "RoutePropagationEnable" in p:
            table.learns = p.flag("RoutePropagationEnable")
        return {}

    def _delete(self, p: Parameters) -> Answer:
        table = self.tables[p["RouteTableId"]]
        if table.vswitches:
            # DeleteRouteTable: its vSwitches first. The document's code is not known here.
            raise Refused("OperationDenied.VSwitchAssociated", "The route table is used by vSwitches.")
        if any(not each.automatic for each in table.entries.values()):
            raise Refused("DependencyViolation.RouteEntry", "The route table has custom entries.")
        self.tables.take(table.id)
        return {}

    def _associate(self, p: Parameters) -> Answer:
        table, vswitch = self.tables[p["RouteTableId"]], self._networks.vswitches[p["VSwitchId"]]
        # AssociateRouteTable: a custom table of the vSwitch's VPC; a vSwitch has one table. Codes: not known here.
        if table.kind != "Custom" or table.vpc != vswitch.vpc:
            raise Refused("OperationDenied.RouteTable", "The table is no custom one of the vSwitch's VPC.")
        if self.of_vswitch(vswitch.id) is not None:
            raise Refused("OperationDenied.RouteTableAssociated", "The vSwitch uses another custom table.")
        table.vswitches.append(vswitch.id)
        return {}

    def _unassociate(self, p: Parameters) -> Answer:
        table = self.tables[p["RouteTableId"]]
        if p["VSwitchId"] not in table.vswitches:
            raise Refused("InvalidVSwitchId.NotFound", "The vSwitch does not use the table.", status=404)
        table.vswitches.remove(p["VSwitchId"])
        return {}

    def _create_entry(self, p: Parameters) -> Answer:
        table, cidr = self.tables[p["RouteTableId"]], p["DestinationCidrBlock"]
        if cidr in table.entries:
            raise Refused("RouterEntryConflict.Duplicated", "The destination has an entry already.")
        if cidr != ANYWHERE and IPv4Network(cidr).overlaps(_CLOUD_SERVICES):
            raise Refused("InvalidCidrBlock.Malformed", "100.64.0.0/10 is the cloud's own.")  # CreateRouteEntry
        table.entries[cidr] = RouteEntry(
            cidr=cidr,
            hop=NextHop(kind=p["NextHopType"], id=p["NextHopId"]),
            name=p.get("RouteEntryName"),
            description=p.get("Description"),
        )
        return {"RouteEntryId": f"rte-{table.id}"}

    def _describe_entries(self, p: Parameters) -> Answer:
        found = self.tables.read(p["RouteTableId"])
        if not found:
            raise Refused("InvalidRouteTable.NotFound", "Specified route table does not exist.", status=404)
        entries = [each for each in found[0].entries.values() if p.get("DestinationCidrBlock", each.cidr) == each.cidr]
        return {"RouteEntrys": {"RouteEntry": [_entry(found[0], each) for each in entries]}}

    def _modify_entry(self, p: Parameters) -> Answer:
        entry = self._entry(p)
        entry.name = p.get("RouteEntryName", entry.name)
        entry.description = p.get("Description", entry.description)
        kind, to = p.get("NewNextHopType", entry.hop.kind), p.get("NewNextHopId", entry.hop.id)
        entry.hop = NextHop(kind=kind, id=to)
        return {}

    def _delete_entry(self, p: Parameters) -> Answer:
        entry = self._entry(p)
        # DeleteRouteEntry, "Error codes"; that another hop is another entry is read out of them.
        if not p.get("NextHopId"):
            raise Refused("InvalidNextHop", "Specified nexthop and nexthop list cannot both null.")
        if p["NextHopId"] != entry.hop.id:
            raise Refused("InvalidRouteEntry.NotFound", "Route entry not exists.")
        del self.tables[p["RouteTableId"]].entries[entry.cidr]
        return {}

    def _entry(self, p: Parameters) -> RouteEntry:
        found = self.tables[p["RouteTableId"]].entries.get(p["DestinationCidrBlock"])
        if found is None:
            raise Refused("InvalidRouteEntry.NotFound", "Route entry not exists.")
        return found


def _entry(table: RouteTable, entry: RouteEntry) -> Answer:
    hop = {"NextHopId": entry.hop.id, "NextHopType": entry.hop.kind, "Enabled": 1, "Weight": 0}
    return {
        "RouteTableId": table.id,
        "DestinationCidrBlock": entry.cidr,
        "RouteEntryName": entry.name,
        "Description": entry.description,
        "Type": "Custom",
        "Status": "Available",
        "NextHops": {"NextHop": [{**hop, "NextHopRegionId": "", "NextHopRelatedInfo": {}}]},
    }


def _published(_: Parameters) -> Answer:
    """To a network that the VPC is connected with; nobody does that here."""
    return {"RouteEntries": []}
