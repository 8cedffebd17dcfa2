"""NAT firewalls: what one needs before it can be made, and the routes that it takes over while it is switched on.

What it needs is told in the product's own skill for NAT firewalls (aliyun/alibabacloud-aiops-skills,
alibabacloud-cfw-nat-firewall-protect: nat-prerequisites.md, api-errors.md), and so are the codes here.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from tests.engine.alibaba.api import Actions, Answer, Parameters, Refused
from tests.engine.alibaba.state import Ids, Shelf, Uses
from tests.engine.alibaba.vpc import VpcProduct
from tests.engine.alibaba.vpc.nat_gateways import NatGateway, SnatEntry
from tests.engine.alibaba.vpc.networks import VSwitch
from tests.engine.alibaba.vpc.routing import ANYWHERE, NextHop, RouteEntry, RouteTable

_NAME: Final = re.compile(r"(?!_)[0-9A-Za-z_\u4e00-\u9fff]{4,50}")
"""CreateSecurityProxy, `ProxyName`."""
_MOST_EIPS: Final = 20


@dataclass(kw_only=True)
class NatFirewall:
    """A firewall of one gateway."""

    id: str
    name: str
    region: str
    gateway: NatGateway
    strict: int
    routes: list[dict[str, str]]
    """The entries that it takes over, as they were given."""
    vswitch: str
    on: bool = False

    @property
    def interface(self) -> str:
        """Where the entries lead while it is on."""
        return f"eni-{self.id}"


class NatFirewalls:
    """The firewalls of the account.

    Attributes:
        licences: how many the edition has.
        unknown_reads: how often a new gateway is not known yet to the firewall, which learns of it late.
    """

    def __init__(self, *, vpc: VpcProduct, ids: Ids, uses: Uses) -> None:
        self.firewalls: Shelf[NatFirewall] = Shelf("ErrorProxyNotExist")
        self.licences = 3
        self.unknown_reads = 0
        self._vpc, self._ids, self._uses = vpc, ids, uses

    def actions(self) -> Actions:
        """The calls."""
        return {
            "CreateSecurityProxy": self._create,
            "DescribeNatFirewallList": self._describe,
            "SwitchSecurityProxy": self._switch,
            "DeleteSecurityProxy": self._delete,
        }

    def _create(self, p: Parameters) -> Answer:
        gateway = self._gateway(p)
        if _NAME.fullmatch(p["ProxyName"]) is None:
            raise Refused("ErrorParameters", "A parameter error occurred: ProxyName.")
        if any(each.gateway.id == gateway.id for each in self.firewalls):
            raise Refused("ErrorProxyAlreadyExist", "The NAT gateway has a firewall.")
        if len(self.firewalls) >= self.licences:
            raise Refused("ErrorNatFirewallQuotaExceed", "The quota of NAT firewalls is reached.")
        if p.get("VswitchAuto", "true") != "false":
            raise Refused("NotInTheStandIn", "a vSwitch that the firewall makes for itself")
        self._check_gateway(gateway)
        routes = [dict(each.values) for each in p.parts("NatRouteEntryList")]
        self._check_routes(gateway, routes)
        vswitch = self._vpc.networks.vswitches[p["VswitchId"]]
        table = self._check_vswitch(gateway, vswitch)
        firewall = NatFirewall(
            id=self._ids.new("proxy-nat"),
            name=p["ProxyName"],
            region=p["RegionNo"],
            gateway=gateway,
            strict=int(p.get("StrictMode", "0")),
            routes=routes,
            vswitch=vswitch.id,
        )
        self.firewalls.put(firewall.id, firewall)
        self._move_in(firewall, table)
        self.switch(firewall, on=p.get("FirewallSwitch") == "open")
        return {"ProxyId": firewall.id}

    def _gateway(self, p: Parameters) -> NatGateway:
        found = [each for each in self._vpc.nat.gateways if each.id == p["NatGatewayId"]]
        if not found or found[0].vpc != p["VpcId"]:
            raise Refused("ErrorNatGatewayNotExist", "The NAT gateway does not exist.")
        if self.unknown_reads:  # in the first minutes; the plugin tries again
            self.unknown_reads -= 1
            raise Refused("-360838", "The NAT gateway is not synchronized.")
        return found[0]

    def _check_gateway(self, gateway: NatGateway) -> None:
        eips = len(self._vpc.eips.on(gateway.id))
        if not 1 <= eips <= _MOST_EIPS:
            raise Refused("ErrorNatFirewallPreCheckFailed", f"The NAT gateway has {eips} EIPs.")
        if not self._vpc.nat.entries_of(gateway):
            raise Refused("ErrorNatFirewallPreCheckFailed", "The NAT gateway has no SNAT entry.")
        if gateway.forwards:
            raise Refused("ErrorNatFirewallPreCheckFailed", "The NAT gateway has DNAT entries.")

    def _check_routes(self, gateway: NatGateway, routes: list[dict[str, str]]) -> None:
        if not routes:
            raise Refused("MissingNatRouteEntryList", "NatRouteEntryList is mandatory for this action.")
        for each in routes:
            table = self._vpc.routing.tables[each["RouteTableId"]]
            entry = table.entries.get(each["DestinationCidr"])
            if entry is None or entry.hop.id != gateway.id or each["NextHopId"] != gateway.id:
                raise Refused("ErrorNatFirewallPreCheckFailed", "No such route entry leads to the NAT gateway.")

    def _check_vswitch(self, gateway: NatGateway, vswitch: VSwitch) -> RouteTable:
        """It has to be for the firewall alone, on a custom table of its own."""
        if vswitch.vpc != gateway.vpc or vswitch.zone != gateway.vswitch.zone:
            raise Refused("ErrorParameters", "The vSwitch is not in the VPC and zone of the NAT gateway.")
        if vswitch.cidr.prefixlen > 28 or vswitch.free_addresses <= len(self._vpc.eips.on(gateway.id)):
            raise Refused("ErrorParameters", "The vSwitch is too small.")
        if users := self._uses.of(vswitch.id):
            raise Refused("ErrorParameters", f"The vSwitch is not empty: {', '.join(users)}.")
        table = self._vpc.routing.of_vswitch(vswitch.id)
        if table is None or table.vswitches != [vswitch.id]:
            raise Refused("ErrorParameters", "The vSwitch has no custom route table for itself.")
        if ANYWHERE in table.entries:
            raise Refused("ErrorDefaultRouteConflicts", "The route table has a default route.")
        if table.entries:
            raise Refused("ErrorParameters", "The route table has entries of others.")
        return table

    def _move_in(self, firewall: NatFirewall, table: RouteTable) -> None:
        """Its interface in its vSwitch, its default route, and an SNAT entry for what it sends."""
        self._uses.add(firewall.id, [firewall.vswitch])
        hop = NextHop(kind="NatGateway", id=firewall.gateway.id)
        table.entries[ANYWHERE] = RouteEntry(cidr=ANYWHERE, hop=hop, automatic=True)
        addresses = tuple(each.address for each in self._vpc.eips.on(firewall.gateway.id))
        entry = SnatEntry(
            id=firewall.id,
            table=firewall.gateway.snat_table,
            vswitch=firewall.vswitch,
            addresses=addresses,
            name="created by cloud firewall",
        )
        self._vpc.nat.snat_entries.put(entry.id, entry)

    def _describe(self, p: Parameters) -> Answer:
        found = [self._shown(each) for each in self.firewalls.read(p.get("ProxyId"))]
        return {"NatFirewallList": found, "TotalCount": len(found)}

    def _shown(self, firewall: NatFirewall) -> Answer:
        """The entries are those that were given, also while they lead elsewhere."""
        return {
            "ProxyId": firewall.id,
            "ProxyName": firewall.name,
            "ProxyStatus": "normal" if firewall.on else "closed",
            "RegionId": firewall.region,
            "VpcId": firewall.gateway.vpc,
            "NatGatewayId": firewall.gateway.id,
            "StrictMode": firewall.strict,
            "NatRouteEntryList": firewall.routes,
        }

    def _switch(self, p: Parameters) -> Answer:
        """Says yes also of a firewall that is not there."""
        if p["Switch"] not in {"open", "close"}:
            raise Refused("ErrorParameters", "A parameter error occurred: Switch.")
        for each in self.firewalls:
            if each.id == p["ProxyId"]:
                self.switch(each, on=p["Switch"] == "open")
        return {}

    def _delete(self, p: Parameters) -> Answer:
        """Also of one that is on; says yes also of one that is not there."""
        for each in self.firewalls:
            if each.id == p["ProxyId"]:
                self.switch(each, on=False)
                self._move_out(each)
        return {}

    def _move_out(self, firewall: NatFirewall) -> None:
        self.firewalls.take(firewall.id)
        self._uses.drop(firewall.id)
        self._vpc.nat.snat_entries.take(firewall.id)
        if (table := self._vpc.routing.of_vswitch(firewall.vswitch)) is not None:
            table.entries.pop(ANYWHERE, None)

    def switch(self, firewall: NatFirewall, *, on: bool) -> None:
        """Let the entries lead to the firewall, or to where they led before.

        That they are changed is told ("do not modify"), as what is not: an interface is what a diversion needs.
        """
        firewall.on = on
        here = NextHop(kind="NetworkInterface", id=firewall.interface)
        for given in firewall.routes:
            entries = self._vpc.routing.tables[given["RouteTableId"]].entries
            cidr = given["DestinationCidr"]
            if (entry := entries.get(cidr)) is None or (entry.hop == here) == on:
                continue
            back = NextHop(kind=given["NextHopType"], id=given["NextHopId"])
            entries[cidr] = replace(entry, hop=here if on else back, diverted_from=back if on else None)
