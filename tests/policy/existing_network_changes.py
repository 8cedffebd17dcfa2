"""How tests change a VPC that exists already: each a way out, or what becomes one."""

from collections.abc import Callable
from typing import Any

from existing_network import NETWORK, Files, add, listed

Change = Callable[[Files], None]


def put(name: str, index: int, **fields: Any) -> Change:
    """Other fields of one item."""
    return lambda given: listed(given, name)[index].update(fields)


def added(name: str, item: dict[str, Any]) -> Change:
    """One item more."""
    return lambda given: add(given, name, item)


def routed(table: str, destination: str, kind: str, hop: str) -> Change:
    """One route more."""
    hops = {"NextHop": [{"NextHopType": kind, "NextHopId": hop}]}
    entry = {"RouteTableId": table, "DestinationCidrBlock": destination, "Type": "Custom", "NextHops": hops}
    return added(f"routes-{table}", entry)


def elastic(instance: str, kind: str) -> Change:
    """One EIP more, on something."""
    return added("eips", {"AllocationId": "eip-9", "InstanceId": instance, "InstanceType": kind})


def running(name: str, node: str, tolerations: list[dict[str, str]], **metadata: Any) -> Change:
    """One running pod more."""
    return added(
        "pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "checkout", "uid": "1", **metadata},
            "spec": {"nodeName": node, "containers": [], "tolerations": tolerations},
            "status": {"phase": "Running"},
        },
    )


def both(*changes: Change) -> Change:
    """One change after another."""

    def change(given: Files) -> None:
        for each in changes:
            each(given)

    return change


def second_gateway(given: Files) -> None:
    """A second NAT gateway, whose entries are shown: there are none."""
    add(given, "nat-gateways", listed(given, "nat-gateways")[0] | {"NatGatewayId": "ngw-2", "SnatTableIds": {}})
    given["snat-2"] = {"TotalCount": 0, "PageNumber": 1, "SnatTableEntries": {"SnatTableEntry": []}}
    given["dnat-2"] = {"TotalCount": 0, "PageNumber": 1, "ForwardTableEntries": {"ForwardTableEntry": []}}


def attach(given: Files, table: int, vswitch: str) -> None:
    """A vSwitch more that has a route table."""
    listed(given, "route-tables")[table]["VSwitchIds"]["VSwitchId"].append(vswitch)


def detach(table: int, vswitch: str) -> Change:
    """A vSwitch that has the system table again."""

    def change(given: Files) -> None:
        listed(given, "route-tables")[table]["VSwitchIds"]["VSwitchId"].remove(vswitch)
        attach(given, 0, vswitch)

    return change


def networking(namespace: str, vswitch: str) -> Change:
    """A PodNetworking more, for one namespace and with one vSwitch."""
    return added(
        "pod-networkings",
        {
            "apiVersion": "network.alibabacloud.com/v1beta1",
            "kind": "PodNetworking",
            "metadata": {"name": namespace},
            "spec": {
                "allocationType": {"type": "Elastic"},
                "selector": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
                "securityGroupIDs": ["sg-batch"],
                "vSwitchOptions": [vswitch],
            },
        },
    )


def clients_table(given: Files) -> None:
    """A table of the clients' own, without a way out."""
    table = {"RouteTableId": "vtb-clients", "VpcId": NETWORK, "RouteTableType": "Custom"}
    add(given, "route-tables", table | {"VSwitchIds": {"VSwitchId": ["vsw-workers-h"]}})
    given["routes-vtb-clients"] = {"RouteEntrys": {"RouteEntry": []}}


def snat(**source: str) -> Change:
    """One SNAT entry more."""
    return added("snat-ngw-egress", {"SnatEntryId": "snat-9", "SnatTableId": "stb-egress", **source})


def untainted(given: Files) -> None:
    """The egress nodes without their taints."""
    for node in listed(given, "nodes")[:2]:
        del node["spec"]["taints"]


def one_zone(given: Files) -> None:
    """All nodes in one zone."""
    for node in listed(given, "nodes"):
        node["metadata"]["labels"]["topology.kubernetes.io/zone"] = "cn-hangzhou-h"
