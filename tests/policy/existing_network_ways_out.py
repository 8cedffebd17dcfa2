"""Ways out of a VPC that exists already: what the operator's dump says then, and what is told of it."""

from typing import Final

from existing_network import NETWORK, listed
from existing_network_changes import (
    Change,
    added,
    attach,
    both,
    clients_table,
    detach,
    elastic,
    networking,
    put,
    routed,
    second_gateway,
    snat,
)

WAYS_OUT: Final[dict[str, tuple[Change, list[str]]]] = {
    "a node with a public address": (
        put("instances", 0, PublicIpAddress={"IpAddress": ["203.0.113.99"]}),
        ["EGR711 Instance i-egress-h: true gives it a public address"],
    ),
    "a client's node with a public address": (
        put("instances", 2, PublicIpAddress={"IpAddress": ["203.0.113.99"]}),
        ["EGR711 Instance i-worker-h: true gives it a public address"],
    ),
    "a node that says so itself": (
        put("nodes", 2, status={"addresses": [{"type": "ExternalIP", "address": "203.0.113.99"}]}),
        ["EGR711 Node cn-hangzhou.10.20.16.20: '203.0.113.99' is an address of its own on the internet"],
    ),
    "an EIP on a node": (
        elastic("i-worker-h", "EcsInstance"),
        [
            "EGR712 EipAssociation eip-9: 'EcsInstance': it reaches the internet by this address, past the NAT gateway",
        ],
    ),
    "an EIP on a pod's interface": (
        elastic("eni-pods-h", "NetworkInterface"),
        [
            "EGR712 EipAssociation eip-9: 'NetworkInterface': it reaches the internet by this address, past the NAT "
            "gateway",
        ],
    ),
    "an EIP on a virtual address, which no answer shows": (
        elastic("havip-1", "HaVip"),
        ["EGR712 EipAssociation eip-9: 'HaVip': it reaches the internet by this address, past the NAT gateway"],
    ),
    "an EIP on something without a type": (
        elastic("x-1", ""),
        ["EGR712 EipAssociation eip-9: 'unknown': it reaches the internet by this address, past the NAT gateway"],
    ),
    "a node pool that gives out public addresses": (
        lambda given: listed(given, "node-pools")[1]["scaling_group"].update(internet_max_bandwidth_out=5),
        ["EGR711 NodePool workers: 5 Mbit/s to the internet come with a public address"],
    ),
    "a node pool that gives out EIPs": (
        lambda given: listed(given, "node-pools")[1]["auto_scaling"].update(is_bond_eip=True),
        ["EGR711 NodePool workers: true gives it a public address"],
    ),
    "a client's node in a vSwitch of the egress": (
        put("instances", 2, VpcAttributes={"VpcId": NETWORK, "VSwitchId": "vsw-nodes-h"}),
        ["EGR723 Instance i-worker-h: is a vSwitch of the egress, so it leaves like a gateway"],
    ),
    "an interface of a client's node there": (
        put("network-interfaces", 2, VSwitchId="vsw-pods-h"),
        ["EGR723 EcsNetworkInterface eni-worker-h: is a vSwitch of the egress, so it leaves like a gateway"],
    ),
    "a PodEIP": (
        added(
            "pod-eips",
            {"apiVersion": "alibabacloud.com/v1beta1", "kind": "PodEIP", "metadata": {"name": "a", "namespace": "b"}},
        ),
        ["EGR713 PodEIP b/a: gives a pod a way out of its own"],
    ),
    "a second NAT gateway": (
        second_gateway,
        [
            "EGR715 NatGateway ngw-2: is one of two or more NAT gateways of the stack, and no NAT firewall stands at "
            "it",
        ],
    ),
    "an SNAT entry for a client's vSwitch in the system table": (
        snat(SourceVSwitchId="vsw-workers-h", SourceCIDR="10.20.16.0/23"),
        [
            "EGR716 SnatEntry snat-9: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR721 SnatEntry snat-9: lets out a vSwitch whose route table ce_prod does not take over",
        ],
    ),
    "an SNAT entry for one client": (
        snat(SourceCIDR="10.20.16.20/32"),
        [
            "EGR716 SnatEntry snat-9: 10.20.16.20/32 is more than a vSwitch of the egress nodes that the stack shows",
            "EGR721 SnatEntry snat-9: lets out a vSwitch whose route table ce_prod does not take over",
        ],
    ),
    "an SNAT entry for pods in the system table": (
        detach(1, "vsw-pods-h"),
        ["EGR721 SnatEntry snat-h: lets out a vSwitch whose route table ce_prod does not take over"],
    ),
    "the same entry for their range": (
        both(detach(1, "vsw-pods-h"), put("snat-ngw-egress", 0, SourceVSwitchId="")),
        ["EGR721 SnatEntry snat-h: lets out a vSwitch whose route table ce_prod does not take over"],
    ),
    "the same entry for their range, without a vSwitch": (
        both(detach(1, "vsw-pods-h"), lambda given: listed(given, "snat-ngw-egress")[0].pop("SourceVSwitchId")),
        ["EGR721 SnatEntry snat-h: lets out a vSwitch whose route table ce_prod does not take over"],
    ),
    "an SNAT entry for a range that is in no vSwitch": (
        snat(SourceVSwitchId="", SourceCIDR="10.20.200.0/24"),
        [
            "EGR716 SnatEntry snat-9: 10.20.200.0/24 is more than a vSwitch of the egress nodes that the stack shows",
            "EGR721 SnatEntry snat-9: 10.20.200.0/24 is in no vSwitch that is shown, so nobody knows whether ce_prod "
            "sees it",
        ],
    ),
    "an SNAT entry for the vSwitch of another team's pods": (
        both(networking("batch", "vsw-workpods-h"), snat(SourceVSwitchId="vsw-workpods-h")),
        [
            "EGR716 SnatEntry snat-9: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR721 SnatEntry snat-9: lets out a vSwitch whose route table ce_prod does not take over",
        ],
    ),
    "another team's pods in the egress table": (
        both(networking("batch", "vsw-workpods-h"), lambda given: attach(given, 1, "vsw-workpods-h")),
        [
            "EGR722 RouteTableAttachment vtb-egress:vsw-workpods-h: has the egress route table, and is neither the "
            "egress nodes' nor the gateways' pods'",
        ],
    ),
    "another team's pods in a vSwitch of the egress": (
        networking("batch", "vsw-pods-h"),
        ["EGR760 PodNetworking batch: 'batch': no namespace of gateways"],
    ),
    "a cloud service's interface in a vSwitch of the egress": (
        put("network-interfaces", 5, VSwitchId="vsw-pods-h"),
        ["EGR723 EcsNetworkInterface eni-nat: is a vSwitch of the egress, so it leaves like a gateway"],
    ),
    "an SNAT entry at a gateway that nobody shows": (
        snat(SourceVSwitchId="vsw-pods-h", SnatTableId="stb-other"),
        ["EGR716 SnatEntry snat-9: leads to another NAT gateway than the stack's"],
    ),
    "a DNAT entry": (
        added("dnat-ngw-egress", {"ForwardEntryId": "fwd-1", "ForwardTableId": "ftb-egress", "ExternalPort": "22"}),
        [
            "EGR717 ForwardEntry fwd-1: is on the NAT gateway of the egress, for which no NAT firewall can be created "
            "then",
        ],
    ),
    "an IPv4 gateway that is not enabled": (
        added("ipv4-gateways", {"Ipv4GatewayId": "ipv4gw-1", "VpcId": NETWORK, "Enabled": False}),
        ["EGR718 Ipv4Gateway ipv4gw-1: false: every public address reaches the internet without a route"],
    ),
    "an IPv6 gateway": (
        added("ipv6-gateways", {"Ipv6GatewayId": "ipv6gw-1", "VpcId": NETWORK}),
        ["EGR719 Ipv6Gateway ipv6gw-1: lets IPv6 out, past the NAT gateway and its firewall"],
    ),
    "an IPv6 address with bandwidth": (
        added("ipv6-addresses", {"Ipv6AddressId": "ipv6-1", "Ipv6InternetBandwidth": {"Bandwidth": 10}}),
        ["EGR719 Ipv6InternetBandwidth ipv6-1: lets IPv6 out, past the NAT gateway and its firewall"],
    ),
    "a public IPv6 address": (
        added("ipv6-addresses", {"Ipv6AddressId": "ipv6-1", "NetworkType": "Public"}),
        ["EGR719 Ipv6InternetBandwidth ipv6-1: lets IPv6 out, past the NAT gateway and its firewall"],
    ),
    "half of the internet by an instance": (
        routed("vtb-egress", "128.0.0.0/1", "Instance", "i-worker-h"),
        [
            "EGR720 VPCRouteEntry vtb-egress:128.0.0.0/1: '128.0.0.0/1' leads to a next hop of type 'Instance', past "
            "the NAT gateway",
        ],
    ),
    "clients by a transit router": (
        both(clients_table, routed("vtb-clients", "0.0.0.0/0", "Attachment", "tr-attach-1")),
        [
            "EGR720 VPCRouteEntry vtb-clients:0.0.0.0/0: '0.0.0.0/0' leads to a next hop of type 'Attachment', past "
            "the NAT gateway",
        ],
    ),
    "the egress by an IPv4 gateway": (
        routed("vtb-egress", "47.0.0.0/8", "Ipv4Gateway", "ipv4gw-1"),
        [
            "EGR720 VPCRouteEntry vtb-egress:47.0.0.0/8: '47.0.0.0/8' leads to a next hop of type 'Ipv4Gateway', past "
            "the NAT gateway",
        ],
    ),
    "the diverted route, led past the firewall again": (
        lambda given: listed(given, "routes-vtb-egress")[-1]["NextHops"]["NextHop"][0].update(NextHopId="eni-worker-h"),
        [
            "EGR720 VPCRouteEntry vtb-egress:0.0.0.0/0: '0.0.0.0/0' leads to a next hop of type 'NetworkInterface', "
            "past the NAT gateway",
        ],
    ),
    "several next hops, one of them another": (
        lambda given: listed(given, "routes-vtb-egress")[-1]["NextHops"]["NextHop"].append(
            {"NextHopType": "Instance", "NextHopId": "i-worker-h"}
        ),
        [
            "EGR720 VPCRouteEntry vtb-egress:0.0.0.0/0: '0.0.0.0/0' leads to a next hop, past the NAT gateway",
        ],
    ),
    "another vSwitch in the egress table": (
        lambda given: attach(given, 1, "vsw-workers-h"),
        [
            "EGR722 RouteTableAttachment vtb-egress:vsw-workers-h: has the egress route table, and is neither the "
            "egress nodes' nor the gateways' pods'",
        ],
    ),
    "another table that leads to the gateway": (
        both(clients_table, routed("vtb-clients", "0.0.0.0/0", "NatGateway", "ngw-egress")),
        [
            "EGR721 VPCRouteEntry vtb-clients:0.0.0.0/0: leads to the NAT gateway from a table that ce_prod does not "
            "take over",
            "EGR722 RouteTableAttachment vtb-clients:vsw-workers-h: has the egress route table, and is neither the "
            "egress nodes' nor the gateways' pods'",
        ],
    ),
    "another vSwitch in the firewall's own table": (
        lambda given: attach(given, 2, "vsw-pods-h"),
        [
            "EGR716 SnatEntry snat-fw: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR721 SnatEntry snat-fw: lets out a vSwitch whose route table ce_prod does not take over",
            "EGR721 SnatEntry snat-h: lets out a vSwitch whose route table ce_prod does not take over",
            "EGR721 VPCRouteEntry vtb-firewall:0.0.0.0/0: leads to the NAT gateway from a table that ce_prod does not "
            "take over",
            "EGR722 RouteTableAttachment vtb-firewall:vsw-firewall-h: has the egress route table, and is neither the "
            "egress nodes' nor the gateways' pods'",
        ],
    ),
    "an instance in the firewall's own vSwitch": (
        put("instances", 2, VpcAttributes={"VpcId": NETWORK, "VSwitchId": "vsw-firewall-h"}),
        [
            "EGR716 SnatEntry snat-fw: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR721 SnatEntry snat-fw: lets out a vSwitch whose route table ce_prod does not take over",
            "EGR721 VPCRouteEntry vtb-firewall:0.0.0.0/0: leads to the NAT gateway from a table that ce_prod does not "
            "take over",
            "EGR722 RouteTableAttachment vtb-firewall:vsw-firewall-h: has the egress route table, and is neither the "
            "egress nodes' nor the gateways' pods'",
        ],
    ),
    "an instance's second interface in the firewall's own vSwitch": (
        put("network-interfaces", 2, VSwitchId="vsw-firewall-h"),
        [
            "EGR716 SnatEntry snat-fw: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR721 SnatEntry snat-fw: lets out a vSwitch whose route table ce_prod does not take over",
            "EGR721 VPCRouteEntry vtb-firewall:0.0.0.0/0: leads to the NAT gateway from a table that ce_prod does not "
            "take over",
            "EGR722 RouteTableAttachment vtb-firewall:vsw-firewall-h: has the egress route table, and is neither the "
            "egress nodes' nor the gateways' pods'",
        ],
    ),
}
