"""Which APIs' answers are read, how each is recognised, and what it becomes.

The answers are JSON as `aliyun` prints it: RPC APIs nest a list in an object of one field, with `--pager` nothing else
is left of an answer (Alibaba Cloud CLI: Aggregate the results of paging operations).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from policy.readers.cloud.answers import firewall, machines, network
from policy.readers.cloud.answers.made import Item, Made, Maker, ShapeError, field
from policy.readers.cloud.kinds import ANSWER
from policy.reading import as_mapping, as_sequence
from policy.rule import ObjectRef, Subject


@dataclass(frozen=True, kw_only=True)
class Api:
    """One API whose answers are read."""

    name: str
    path: tuple[str, ...]
    """Where the list stands in an answer."""
    id: tuple[str, ...]
    """Where an item has its id. Without it, it is an item of another API's answer."""
    maker: Maker
    scope: tuple[str, ...] = ()
    """What an item is listed for, where the API is asked once for each."""
    network: tuple[str, ...] = ()
    """Where an item names its VPC."""


def _api(name: str, path: str, item_id: str, maker: Maker, *, scope: str = "", network: str = "") -> Api:
    keys = (tuple(text.split(".")) if text else () for text in (path, item_id, scope, network))
    path_keys, id_keys, scope_keys, network_keys = keys
    return Api(name=name, path=path_keys, id=id_keys, maker=maker, scope=scope_keys, network=network_keys)


NAT_GATEWAYS: Final = _api(
    "DescribeNatGateways", "NatGateways.NatGateway", "NatGatewayId", network.nat_gateway, network="VpcId"
)
SNAT_ENTRIES: Final = _api(
    "DescribeSnatTableEntries",
    "SnatTableEntries.SnatTableEntry",
    "SnatEntryId",
    network.snat_entry,
    scope="SnatTableId",
)
FORWARD_ENTRIES: Final = _api(
    "DescribeForwardTableEntries",
    "ForwardTableEntries.ForwardTableEntry",
    "ForwardEntryId",
    network.forward_entry,
    scope="ForwardTableId",
)
EIPS: Final = _api("DescribeEipAddresses", "EipAddresses.EipAddress", "AllocationId", network.elastic_address)
VSWITCHES: Final = _api("DescribeVSwitches", "VSwitches.VSwitch", "VSwitchId", network.vswitch, network="VpcId")
ROUTE_TABLES: Final = _api(
    "DescribeRouteTableList",
    "RouterTableList.RouterTableListType",
    "RouteTableId",
    network.route_table,
    network="VpcId",
)
ROUTE_ENTRIES: Final = _api(
    "DescribeRouteEntryList",
    "RouteEntrys.RouteEntry",
    "DestinationCidrBlock",
    network.route_entry,
    scope="RouteTableId",
)
IPV4_GATEWAYS: Final = _api(
    "ListIpv4Gateways", "Ipv4GatewayModels", "Ipv4GatewayId", network.ipv4_gateway, network="VpcId"
)
IPV6_GATEWAYS: Final = _api(
    "DescribeIpv6Gateways", "Ipv6Gateways.Ipv6Gateway", "Ipv6GatewayId", network.ipv6_gateway, network="VpcId"
)
IPV6_ADDRESSES: Final = _api(
    "DescribeIpv6Addresses", "Ipv6Addresses.Ipv6Address", "Ipv6AddressId", network.ipv6_address, network="VpcId"
)
INSTANCES: Final = _api(
    "DescribeInstances", "Instances.Instance", "InstanceId", machines.instance, network="VpcAttributes.VpcId"
)
INTERFACES: Final = _api(
    "DescribeNetworkInterfaces",
    "NetworkInterfaceSets.NetworkInterfaceSet",
    "NetworkInterfaceId",
    machines.network_interface,
    network="VpcId",
)
NODE_POOLS: Final = _api("DescribeClusterNodePools", "nodepools", "nodepool_info.nodepool_id", machines.node_pool)
FIREWALLS: Final = _api("DescribeNatFirewallList", "NatFirewallList", "ProxyId", firewall.nat_firewall, network="VpcId")
POLICIES: Final = _api(
    "DescribeNatFirewallControlPolicy", "Policys", "NatGatewayId", firewall.nat_policy, scope="NatGatewayId"
)
BOOKS: Final = _api("DescribeAddressBook", "Acls", "GroupName", firewall.address_book, scope="GroupType")
APIS: Final = (
    NAT_GATEWAYS,
    SNAT_ENTRIES,
    FORWARD_ENTRIES,
    EIPS,
    VSWITCHES,
    ROUTE_TABLES,
    ROUTE_ENTRIES,
    IPV4_GATEWAYS,
    IPV6_GATEWAYS,
    IPV6_ADDRESSES,
    INSTANCES,
    INTERFACES,
    NODE_POOLS,
    FIREWALLS,
    POLICIES,
    BOOKS,
)
_KUBERNETES: Final = frozenset({"apiVersion", "kind", "urn"})
_MARKS: Final = ({"RequestId"}, {"requestId"}, {"request_id"}, {"Code", "Message"}, {"code", "message"})
"""What every other answer has, also one with an error."""


def subjects_of_answer(whole: object, origin: str, item: str) -> list[Subject]:
    """The answer itself and what it lists; nothing if `whole` is no answer at all.

    Args:
        whole: plain data.
        origin: the file that messages name.
        item: where `whole` stands in it.
    """
    fields = as_mapping(whole)
    if fields is None or not _KUBERNETES.isdisjoint(fields):
        return []
    api = next((api for api in APIS if api.path[0] in fields), None)
    if api is None and not any(marks <= fields.keys() for marks in _MARKS):
        return []
    head = _Head(api, fields)
    found = [*head.read(origin, item)]
    ref = ObjectRef(kind=ANSWER.rpartition("/")[2], name="" if api is None else api.name)
    answer = Subject(group=ANSWER.partition("/")[0], version="", ref=ref, whole=head.whole(), origin=origin, item=item)
    return [answer, *found]


class _Head:
    """Reads one answer, and collects what there is to say about it as a whole."""

    def __init__(self, api: Api | None, fields: Item) -> None:
        self._api = api
        self._fields = fields
        self._held = 0
        self._malformed: list[dict[str, str]] = []
        self._scopes: dict[str, None] = {}
        self._networks: dict[str, None] = {}

    def whole(self) -> dict[str, object]:
        """The answer for rules: `policy.readers.cloud.answers.together` reads it."""
        known = ("TotalCount", "PageNumber", "NextToken", "Success", "Code", "code", "Message", "message")
        return {
            **{key: self._fields[key] for key in known if key in self._fields},
            "api": "" if self._api is None else self._api.name,
            "held": self._held,
            "malformed": self._malformed,
            "scopes": [*self._scopes],
            "networks": [*self._networks],
        }

    def read(self, origin: str, item: str) -> Iterator[Subject]:
        """What the answer lists."""
        if self._api is None:
            return
        path = ".".join(self._api.path)
        try:
            found = field(self._fields, *self._api.path)
        except ShapeError:
            found = self._fields
        values = () if found is None else as_sequence(found)
        if values is None:
            self._malformed.append({"path": path, "why": "is no list"})
            return
        for index, value in enumerate(values):
            self._held += 1
            place = f"{path}[{index}]"
            try:
                yield from (_subject(each, origin, f"{item}.{place}".strip(".")) for each in self._made(value))
            except ShapeError as error:
                self._malformed.append({"path": f"{place}.{error}".removesuffix("."), "why": "is not as documented"})

    def _made(self, value: object) -> list[Made]:
        api, fields = self._api, as_mapping(value)
        if api is None or fields is None or not isinstance(field(fields, *api.id), str):
            raise ShapeError("" if api is None else ".".join(api.id))
        found = [*api.maker(fields)]
        for keys, told in ((api.scope, self._scopes), (api.network, self._networks)):
            name = field(fields, *keys) if keys else None
            if isinstance(name, str) and name != "":
                told[name] = None
        return found


def _subject(made: Made, origin: str, item: str) -> Subject:
    group, _, kind = made.kind.rpartition("/")
    ref = ObjectRef(kind=kind, name=made.name)
    subject = Subject(group=group, version="", ref=ref, whole=made.whole, origin=origin)
    return replace(subject, item=item)
