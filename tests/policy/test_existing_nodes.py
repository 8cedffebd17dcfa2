"""The firewall, the nodes and the pods of a VPC that exists already, with one thing wrong each."""

from dataclasses import replace

import pytest
from existing_network import CONTEXT, files, listed, told
from existing_network_changes import Change, one_zone, put, running, snat, untainted

EVERY_TAINT = [{"operator": "Exists"}]
OWNER = {"kind": "DaemonSet", "name": "agent", "controller": True}
REPLICAS = {"kind": "ReplicaSet", "name": "web-5d8f", "controller": True}
WAYS_OUT: dict[str, tuple[Change, list[str]]] = {
    "a firewall that is closed": (
        put("nat-firewalls", 0, ProxyStatus="closed"),
        ["EGR701 NatFirewall ce_prod: 'closed' leaves it closed: traffic goes past it"],
    ),
    "a firewall that is loose": (
        put("nat-firewalls", 0, StrictMode=0),
        ["EGR701 NatFirewall ce_prod: 0 lets pass what it does not recognise"],
    ),
    "a firewall that is missing": (
        lambda given: given["nat-firewalls"].update(NatFirewallList=[], TotalCount=0),
        [
            "EGR715 NatGateway ngw-egress: has no NAT firewall, although egress.firewall asks for one",
            "EGR716 SnatEntry snat-fw: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR720 VPCRouteEntry vtb-egress:0.0.0.0/0: '0.0.0.0/0' leads to a next hop of type 'NetworkInterface', "
            "past the NAT gateway",
            "EGR722 RouteTableAttachment vtb-firewall:vsw-firewall-h: has the egress route table, and is neither the "
            "egress nodes' nor the gateways' pods'",
        ],
    ),
    "a last policy that lets pass": (
        put("nat-policies-ngw-egress", 2, AclAction="accept"),
        [
            "EGR702 NatFirewallControlPolicy acl-3: 0.0.0.0/0 is every destination",
            "EGR702 NatFirewallControlPolicy acl-3: 0.0.0.0/0 is every sender",
            "EGR702 NatFirewallControlPolicy acl-3: ANY is every protocol",
            "EGR705 NatFirewallControlPolicy acl-3: 'accept' lets everything pass at last",
        ],
    ),
    "a policy in a place that is taken": (
        put("nat-policies-ngw-egress", 1, Order=1),
        [
            "EGR705 NatFirewallControlPolicy acl-2: 1 is also the place of acl-1",
            "EGR705 NatFirewallControlPolicy acl-3: 3 leaves out 2, where anybody can put another policy",
        ],
    ),
    "a drop that is off": (
        put("nat-policies-ngw-egress", 2, Release="false"),
        ["EGR703 NatFirewallControlPolicy acl-3: 'false' switches the drop off"],
    ),
    "a book with everything": (
        put("address-books-domain", 0, AddressList=["*"]),
        ["EGR706 AddressBook ce-prod-pods-tls-names-443-0: * is every host"],
    ),
    "a book that nobody shows": (
        lambda given: given.pop("address-books-domain"),
        [
            "EGR709 NatFirewallControlPolicy acl-1: 'ce-prod-pods-tls-names-443-0' is no book of the stack, so nobody "
            "can see what is in it",
        ],
    ),
    "a NAT gateway that one call deletes": (
        put("nat-gateways", 0, DeletionProtection=False),
        ["EGR750 NatGateway ngw-egress: false: one call of the API deletes it"],
    ),
    "an egress pool without a taint": (
        lambda given: listed(given, "node-pools")[0]["kubernetes_config"].update(taints=[]),
        ["EGR740 NodePool prod-egress: no taint keeps other pods away for certain"],
    ),
    "egress nodes without a taint": (
        untainted,
        [
            "EGR748 Node cn-hangzhou.10.20.8.10: no taint keeps other pods away for certain",
            "EGR748 Node cn-hangzhou.10.20.8.70: no taint keeps other pods away for certain",
        ],
    ),
    "egress nodes in one zone": (
        one_zone,
        ["EGR748 stack itself: all egress nodes are in cn-hangzhou-h"],
    ),
    "a pod that tolerates everything": (
        running("web", "cn-hangzhou.10.20.8.10", EVERY_TAINT),
        ["EGR607 Pod checkout/web: tolerates every taint"],
    ),
    "an agent's pod, which is told as what keeps it there": (
        running("agent-x1", "cn-hangzhou.10.20.16.20", EVERY_TAINT, ownerReferences=[OWNER]),
        ["EGR607 DaemonSet checkout/agent: tolerates every taint"],
    ),
    "a pod that no taint kept away": (
        running(
            "web-5d8f-1", "cn-hangzhou.10.20.8.10", [], ownerReferences=[REPLICAS], labels={"pod-template-hash": "5d8f"}
        ),
        [
            "EGR747 Deployment checkout/web: 'cn-hangzhou.10.20.8.10' is an egress node, whose taint it does not "
            "tolerate",
        ],
    ),
    "a pod on a node that nobody shows": (
        running("web", "cn-hangzhou.10.20.8.99", []),
        ["EGR747 Pod checkout/web: 'cn-hangzhou.10.20.8.99' is no node that is shown, so it may be an egress node"],
    ),
    "a PodNetworking for a client": (
        lambda given: listed(given, "pod-networkings")[0]["spec"]["selector"]["namespaceSelector"].update(
            matchLabels={"kubernetes.io/metadata.name": "checkout"}
        ),
        [
            "EGR716 SnatEntry snat-h: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR716 SnatEntry snat-i: lets out a vSwitch that is neither the egress nodes' nor the gateways' pods'",
            "EGR722 RouteTableAttachment vtb-egress:vsw-pods-h: has the egress route table, and is neither the egress "
            "nodes' nor the gateways' pods'",
            "EGR722 RouteTableAttachment vtb-egress:vsw-pods-i: has the egress route table, and is neither the egress "
            "nodes' nor the gateways' pods'",
        ],
    ),
    "a PodNetworking that may be for gateways": (
        lambda given: listed(given, "pod-networkings")[0]["spec"]["selector"]["namespaceSelector"].update(
            matchLabels={"team": "edge"}
        ),
        [
            "EGR760 PodNetworking egress-gateway: does not name the namespaces of the gateways by "
            "kubernetes.io/metadata.name",
        ],
    ),
}


@pytest.mark.parametrize(("change", "expected"), WAYS_OUT.values(), ids=WAYS_OUT)
def test_what_is_wrong_is_told(change: Change, expected: list[str]) -> None:
    """Guards against a firewall or a node that lets out, and nobody says."""
    given = files()
    change(given)
    assert told(given) == expected


def test_egress_nodes_that_are_in_no_pool_are_found_by_their_instances() -> None:
    """Guards against an SNAT entry that nobody judges because labels were given to nodes by hand."""
    given = files()
    listed(given, "node-pools")[0]["kubernetes_config"].update(labels=[], taints=[])
    shared = "EGR723 NodePool prod-egress: is a vSwitch of the egress, so it leaves like a gateway"
    assert told(given) == [shared]
    snat(SourceVSwitchId="vsw-workers-i")(given)
    assert [line[:6] for line in told(given)] == ["EGR716", "EGR721", "EGR723"]
    for node in listed(given, "nodes"):
        node["metadata"]["labels"].pop("cluster-egress/egress", None)
    del given["pod-networkings"]
    assert "EGR748 stack itself: no node has the labels of the egress nodes: cluster-egress/egress=true" in told(given)
    assert [line for line in told(given) if line.startswith("EGR791")] == [
        "EGR791 unanswered DescribeClusterNodePools: shows no node pool with the labels of the egress nodes, nor do "
        "nodes"
    ]


def test_without_settings_nothing_is_asked_about_the_egress_nodes() -> None:
    """Guards against rules that take every node for an egress node where no stack is named."""
    given = files()
    lines = told(given, replace(CONTEXT, egress_labels=frozenset(), egress_taints=()))
    assert {line[:6] for line in lines} <= {"EGR740", "EGR742"}, lines
