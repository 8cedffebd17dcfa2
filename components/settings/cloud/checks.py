"""Does what is created on Alibaba Cloud fit together, and the rest of the declaration?"""

import re
from collections.abc import Iterator
from typing import Final

from components.settings.cloud import images, ranges, reach
from components.settings.cloud.account import Cloud
from components.settings.cloud.addresses import MOST_OF_ONE_ADDRESS, NatAddresses
from components.settings.cloud.reading import ADDRESSES, FIREWALL, NODES, CloudParts, read
from components.settings.parts import Parts
from components.settings.plain import at, is_map
from components.settings.problems import Found, Path, dotted

_MESH: Final[Path] = ("egress", "mesh")
_LIMITS: Final[Path] = ("cloud", "limits")


def check(parts: Parts) -> Found:
    """Everything about the cloud that one value alone does not say."""
    own = read(parts)
    yield from _belongs(parts, own)
    yield from _modes(parts, own)
    if own.cloud is not None:
        yield from _account(parts, own, own.cloud)
        yield from _pods(own, own.cloud)
    if ADDRESSES in own.created:
        yield from _gateways(parts)
    if own.addresses == "host-network":
        yield from _on_node_network(parts, own)
    if own.addresses == "pod-vswitches":
        yield from _on_pod_network(parts)
    if own.nat is not None:
        yield from _bandwidth(own.nat)
    yield from _names(parts)
    yield from ranges.check(parts, own)
    yield from reach.check(parts, own)
    if NODES in own.created:
        yield from images.check(parts)


def _belongs(parts: Parts, own: CloudParts) -> Found:
    """Whoever creates says where; and objects of Kubernetes go to the cluster that the nodes are in."""
    has_cloud = "cloud" in parts.plain
    if own.created and not has_cloud:
        yield (
            ("cloud",),
            f"is missing, and {dotted(own.created[0])} is to be created: nobody said where",
            "`cloud` with `region`, `account`, `vpc`, `cluster` and `podNetwork`",
        )
    if has_cloud and not own.created and None not in (own.modes[NODES], own.modes[ADDRESSES]):
        yield (
            ("cloud",),
            "says where things are created, and nothing is",
            "leave it out, or `mode: dedicated` at egress.nodes",
        )
    if own.created:
        yield from _called(parts)
    if own.created and at(parts.plain, "cluster", "context") is None:
        yield (
            ("cluster", "context"),
            "is missing: Kubernetes objects would go to whatever cluster is the current one, and nodes to another",
            "the kubeconfig context of the cluster that cloud.cluster names",
        )


def _called(parts: Parts) -> Found:
    """Everything at the cloud is called after the cluster."""
    name = at(parts.plain, "cluster", "name")
    if isinstance(name, str) and name[:1].isdigit():
        yield (
            ("cluster", "name"),
            "begins with a digit, and the names of security groups and SNAT entries, which it begins, with a letter",
            "another name, as `ack-1`",
        )


def _modes(parts: Parts, own: CloudParts) -> Found:
    """What is created stands on what else is created."""
    addresses, nodes = own.addresses, own.modes[NODES]
    if ADDRESSES in own.created and nodes == "existing":
        yield (
            (*ADDRESSES, "mode"),
            f"is `{addresses}`, which is for vSwitches that nothing else is in, and egress.nodes are there already",
            "`mode: dedicated` at egress.nodes, or `mode: existing` here",
        )
    if addresses == "nat" and at(parts.plain, *FIREWALL) is None:
        yield (
            FIREWALL,
            "is missing: what stands between the NAT gateway and the internet?",
            "`mode: cloud-firewall`, or `mode: external` for another vendor's",
        )
    if FIREWALL in own.created and addresses in ("existing", "pod-vswitches", "host-network"):
        yield (
            (*FIREWALL, "mode"),
            f"stands at a NAT gateway of our own, and addresses of the mode `{addresses}` have none",
            "`mode: nat` at egress.addresses, or `mode: external` here",
        )


def _account(parts: Parts, own: CloudParts, cloud: Cloud) -> Found:
    """Ids that say twice where something is."""
    before = cloud.region if cloud.region[-1].isdigit() else f"{cloud.region}-"
    for path, zone in _zones(own):
        if not re.fullmatch(rf"{before}[a-z]", zone):
            yield path, f"{zone} is no zone of the region {cloud.region}", f"a zone of it, as `{before}a`"
    if cloud.role is not None and cloud.role.split(":")[3] != cloud.account:
        yield (
            ("cloud", "role"),
            f"is of the account {cloud.role.split(':')[3]}, and what is created belongs to the role's account",
            f"a role of the account {cloud.account}",
        )
    mesh = at(parts.plain, *_MESH, "asm", "clusterId")
    if parts.flavour == "asm" and isinstance(mesh, str) and mesh != cloud.cluster:
        yield (
            (*_MESH, "asm", "clusterId"),
            f"is another cluster than cloud.cluster, {cloud.cluster}, in which the nodes are",
            "the same id in both",
        )
    if FIREWALL in own.created and cloud.limits.nat_policies is None:
        yield (
            (*_LIMITS, "natPolicies"),
            "is missing, and how many policies there may be depends on what was bought",
            "what the firewall's console says",
        )
    if own.firewall is not None and own.firewall.internet_boundary and cloud.limits.internet_policies is None:
        yield (
            (*_LIMITS, "internetPolicies"),
            "is missing, and the policies are to stand at the internet boundary as well",
            "what the firewall's console says; or leave `internetBoundary` out of egress.firewall",
        )


def _zones(own: CloudParts) -> Iterator[tuple[Path, str]]:
    for zone in {} if own.nodes is None else own.nodes.zones:
        yield (*NODES, "zones", zone), zone
    if own.nat is not None:
        yield (*ADDRESSES, "zone"), own.nat.zone


def _pods(own: CloudParts, cloud: Cloud) -> Found:
    """Where pods get addresses of their own, the gateways' must come from ranges that nobody else has."""
    if own.addresses == "pod-vswitches" and cloud.pod_network != "terway":
        yield (
            (*ADDRESSES, "mode"),
            f"is for pods with addresses of their own, and with `podNetwork: {cloud.pod_network}` they have their "
            "node's",
            "`nat`, `host-network`, or `existing`",
        )
    for zone, vswitches in ({} if own.nodes is None else own.nodes.zones).items():
        path = (*NODES, "zones", zone, "pods")
        if cloud.pod_network != "terway" and vswitches.pods is not None:
            yield (
                path,
                "is for pods with addresses of their own, and with flannel they have their node's",
                "leave it out",
            )
        elif own.addresses == "host-network" and vswitches.pods is not None:
            yield path, "would be empty: every gateway is on its node's network", "leave it out"
        elif cloud.pod_network == "terway" and own.addresses != "host-network" and vswitches.pods is None:
            yield (
                path,
                "is missing: in this zone the gateways' pods would silently get addresses of the node's vSwitch",
                "a range for them, which nothing else uses",
            )


def _gateways(parts: Parts) -> Found:
    """Whoever is on the egress nodes leaves by egress.addresses, and nobody else does."""
    found = {path: at(parts.plain, *path, "nodes") is not None for path in _egress_gateways(parts)}
    for name, gateway in parts.backend_gateways.items():
        if gateway is not None and parts.backend_names:
            found["backendGateways", name] = gateway.nodes != "egress"
    for path, elsewhere in found.items():
        has_own = at(parts.plain, *path, "addresses") is not None
        if elsewhere and not has_own:
            yield (
                (*path, "addresses"),
                "is missing: from nodes of its own it does not leave by egress.addresses",
                "the addresses that the outside sees there, or leave `nodes` out",
            )
        elif has_own and not elsewhere:
            yield (
                (*path, "addresses"),
                "is not what the outside sees: on the egress nodes it leaves by egress.addresses",
                "`nodes` of its own beside it, or leave it out",
            )


def _on_node_network(parts: Parts, own: CloudParts) -> Found:
    """The nodes' ranges are all that the outside is told of."""
    for path in _egress_gateways(parts):
        if path not in parts.on_node_network and at(parts.plain, *path, "addresses") is None:
            yield (
                (*path, "hostNetwork"),
                "is missing: its pods would have addresses of their own, and egress.addresses names the nodes'",
                "`hostNetwork: true`; or another mode of egress.addresses",
            )
    for name, gateway in parts.backend_gateways.items() if parts.backend_names else ():
        on_nodes = gateway is not None and gateway.nodes == "egress" and gateway.addresses is None
        if on_nodes and own.cloud is not None and own.cloud.pod_network == "terway":
            yield (
                ("backendGateways", name, "nodes"),
                "are the egress nodes, where its proxies have addresses of their own with terway, and egress.addresses "
                "names the nodes'",
                "`nodes: any` with `addresses`; or `mode: pod-vswitches` at egress.addresses",
            )


def _on_pod_network(parts: Parts) -> Found:
    """The ranges of the pods are all that the outside is told of."""
    for path in parts.on_node_network:
        if at(parts.plain, *path, "addresses") is None:
            yield (
                (*path, "hostNetwork"),
                "has it leave with its node's address, and egress.addresses names the pods'",
                "leave it out; or another mode of egress.addresses",
            )


def _bandwidth(nat: NatAddresses) -> Found:
    if nat.bandwidth > MOST_OF_ONE_ADDRESS and not nat.shared_bandwidth:
        yield (
            (*ADDRESSES, "bandwidth"),
            f"is {nat.bandwidth} Mbit/s for each address, and one has {MOST_OF_ONE_ADDRESS} at most",
            f"at most {MOST_OF_ONE_ADDRESS}, or `sharedBandwidth: true` for all of them together",
        )


def _names(parts: Parts) -> Found:
    """A name means one entry: `publicRanges` and `privateRanges` approve entries by name."""
    fetches = at(parts.plain, *NODES, "fetches")
    others = {
        "destinations": parts.destination_names,
        "backends": parts.backend_names,
        "egress.mesh.issuers": parts.issuers or frozenset(),
    }
    for name in fetches if is_map(fetches) else ():
        for section in (section for section, names in others.items() if name in names):
            wrong = f"has the name of an entry under {section}, whose approvals it would share"
            yield (*NODES, "fetches", name), wrong, "another name"


def _egress_gateways(parts: Parts) -> Iterator[Path]:
    yield (*_MESH, "gateway")
    for name in sorted(parts.gateways or ()):
        yield (*_MESH, "gateways", name)
