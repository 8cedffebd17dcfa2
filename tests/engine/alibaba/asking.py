"""Asks the stand-in without engine and plugin, for tests of what it refuses."""

from dataclasses import dataclass, field

from tests.engine.alibaba.api import Answer
from tests.engine.alibaba.cloud import AlibabaCloud

REGION, VPC, ZONE, CLUSTER = "cn-hangzhou", "vpc-test", "cn-hangzhou-h", "c-test"
ANYWHERE = "0.0.0.0/0"


def new_cloud() -> AlibabaCloud:
    """A cloud on which there is nothing yet but a VPC and a cluster."""
    return AlibabaCloud(region=REGION, vpc=VPC, ranges=("10.0.0.0/16",), cluster=CLUSTER)


@dataclass(kw_only=True)
class Asking:
    """Somebody who calls, and what they have made so far."""

    cloud: AlibabaCloud = field(default_factory=new_cloud)

    def do(self, action: str, **said: str) -> Answer:
        """Call, and have it done."""
        status, answer = self.cloud.rpc(action, said)
        assert status == 200, f"{action}: {answer}"
        return answer

    def refused(self, action: str, **said: str) -> str:
        """Call, and have it refused; says the code."""
        status, answer = self.cloud.rpc(action, said)
        assert status >= 400, f"{action}: {answer}"
        return answer["Code"]

    def vswitch(self, cidr: str, zone: str = ZONE) -> str:
        """Make a vSwitch."""
        return self.do("CreateVSwitch", VpcId=VPC, ZoneId=zone, CidrBlock=cidr)["VSwitchId"]

    def gateway(self) -> str:
        """Make a NAT gateway, in a vSwitch of its own."""
        return self.do("CreateNatGateway", VpcId=VPC, VSwitchId=self.vswitch("10.0.2.0/28"))["NatGatewayId"]

    def eip_on(self, gateway: str) -> tuple[str, str]:
        """Put a new address on a gateway; says its id, and the address."""
        made = self.do("AllocateEipAddress", Bandwidth="100", InternetChargeType="PayByTraffic")
        self.do("AssociateEipAddress", AllocationId=made["AllocationId"], InstanceId=gateway, InstanceType="Nat")
        return made["AllocationId"], made["EipAddress"]

    def snat(self, gateway: str, vswitch: str, address: str) -> str:
        """Let a vSwitch leave by a gateway."""
        said = {"SnatTableId": gateway.replace("ngw-", "stb-"), "SourceVSwitchId": vswitch, "SnatIp": address}
        return self.do("CreateSnatEntry", **said)["SnatEntryId"]

    def table(self, *vswitches: str) -> str:
        """Make a route table for these."""
        table = self.do("CreateRouteTable", VpcId=VPC)["RouteTableId"]
        for each in vswitches:
            self.do("AssociateRouteTable", RouteTableId=table, VSwitchId=each)
        return table

    def route(self, table: str, gateway: str) -> None:
        """Let a table's way out be a gateway."""
        to = {"DestinationCidrBlock": ANYWHERE, "NextHopType": "NatGateway", "NextHopId": gateway}
        self.do("CreateRouteEntry", RouteTableId=table, **to)

    def hop(self, table: str) -> str:
        """Where a table's way out leads."""
        found = self.do("DescribeRouteEntryList", RouteTableId=table, DestinationCidrBlock=ANYWHERE)
        return found["RouteEntrys"]["RouteEntry"][0]["NextHops"]["NextHop"][0]["NextHopId"]

    def book(self, name: str, kind: str, *entries: str) -> str:
        """Make an address book."""
        said = {"GroupName": name, "GroupType": kind, "AddressList": ",".join(entries), "Description": "d"}
        return self.do("AddAddressBook", **said)["GroupUuid"]


@dataclass(kw_only=True)
class Leaving(Asking):
    """Everything that a NAT firewall needs is there."""

    def __post_init__(self) -> None:
        self.nodes, self.own = self.vswitch("10.0.1.0/24"), self.vswitch("10.0.2.16/28")
        self.ngw = self.gateway()
        self.eip, address = self.eip_on(self.ngw)
        self.entry = self.snat(self.ngw, self.nodes, address)
        self.egress, self.diversion = self.table(self.nodes), self.table(self.own)
        self.route(self.egress, self.ngw)

    def firewall(self, **other: str) -> dict[str, str]:
        """What CreateSecurityProxy is asked, but for what is `other`."""
        route = {"DestinationCidr": ANYWHERE, "NextHopType": "NatGateway"}
        route |= {"RouteTableId": self.egress, "NextHopId": self.ngw}
        said = {"ProxyName": "ce_test", "RegionNo": REGION, "VpcId": VPC, "NatGatewayId": self.ngw}
        said |= {"VswitchAuto": "false", "VswitchId": self.own, "StrictMode": "1"}
        return said | {f"NatRouteEntryList.1.{name}": value for name, value in route.items()} | other

    def policy(self, **other: str) -> dict[str, str]:
        """What CreateNatFirewallControlPolicy is asked, but for what is `other`; books are to be there."""
        said = {"NatGatewayId": self.ngw, "Direction": "out", "AclAction": "accept", "Description": "d"}
        said |= {"Source": "nodes", "SourceType": "group", "Destination": "hosts", "DestinationType": "group"}
        said |= {"Proto": "TCP", "ApplicationNameList.1": "HTTPS", "DestPort": "443/443", "NewOrder": "1"}
        return said | other

    def orders(self) -> list[str]:
        """The descriptions of the policies, in their order."""
        found = self.do("DescribeNatFirewallControlPolicy", NatGatewayId=self.ngw, Direction="out")["Policys"]
        assert [each["Order"] for each in found] == [*range(1, len(found) + 1)]
        return [each["Description"] for each in found]
