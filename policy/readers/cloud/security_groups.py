"""Security groups of the egress nodes and of the gateways' pods, and what their rules let through."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy.address_findings import is_in_private_range
from policy.facts.addresses import Network, is_wide, parse_network
from policy.readers.cloud.egress_network import egress_networkings, egress_pools
from policy.readers.cloud.firewall_policies import EVERY_ADDRESS
from policy.readers.cloud.kinds import NODE_POOL, SECURITY_GROUP, SECURITY_GROUP_RULE
from policy.readers.cloud.links import CloudStack, Leads
from policy.readers.cloud.ports import EVERY_PORT, PortRange, parse_ports
from policy.reading import Node, Reader, root
from policy.rule import Context, Subject

_CIDRS: Final = ("cidrIp", "ipv6CidrIp")
ALL_PROTOCOLS: Final = "all"
_WITHOUT_PORTS: Final = frozenset({"icmp", "icmpv6"})
"""GRE has none either, but carries whatever is put in it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupRule:
    """One rule of a security group."""

    subject: Subject
    groups: Leads
    is_egress: bool
    accepts: bool
    peers: tuple[tuple[Node, Network], ...]
    """The ranges that it names, and where."""
    protocol: str
    """In lower case; `all` where nobody says."""
    ports: PortRange | None
    """`None` where the protocol has none."""
    prefix_list: Node

    @property
    def opens_every_port(self) -> bool:
        """Whether it is about more than one service's ports."""
        return self.ports is not None and self.ports.is_wide

    @property
    def is_for_everything(self) -> bool:
        """Whether it is about every IPv4 address, protocol and port."""
        is_all = self.protocol == ALL_PROTOCOLS and self.ports == EVERY_PORT
        return is_all and any(network == EVERY_ADDRESS for _, network in self.peers)


def groups_of(stack: CloudStack, owner: Subject) -> Leads:
    """The security groups of a node pool, or of a PodNetworking."""
    if owner.group_kind == NODE_POOL:
        several = stack.follow(owner, "securityGroupIds", {SECURITY_GROUP})
        single = stack.follow(owner, "securityGroupId", {SECURITY_GROUP})
        return Leads(handles=several.handles | single.handles, is_known=several.is_known and single.is_known)
    reader = Reader()
    ids = reader.items(reader.field(root(owner.whole), "spec", "securityGroupIDs"))
    return stack.follow(owner, "spec", {SECURITY_GROUP}, [each.value for each in ids])


def group_owners(stack: CloudStack, context: Context) -> list[Subject]:
    """The egress node pools and PodNetworkings of the stack."""
    return [*egress_pools(stack, context), *egress_networkings(stack, context)]


def group_rules(stack: CloudStack) -> Iterator[GroupRule]:
    """The rules of all security groups of the stack."""
    for subject in stack.each({SECURITY_GROUP_RULE}):
        reader, whole = Reader(), root(subject.whole)
        protocol = (reader.text(reader.field(whole, "ipProtocol")) or ALL_PROTOCOLS).lower()
        yield GroupRule(
            subject=subject,
            groups=stack.follow(subject, "securityGroupId", {SECURITY_GROUP}),
            is_egress=reader.field(whole, "type").value == "egress",
            accepts=reader.field(whole, "policy").value != "drop",
            peers=tuple(_peers(reader, whole)),
            protocol=protocol,
            ports=None if protocol in _WITHOUT_PORTS else _ports(reader, whole),
            prefix_list=reader.field(whole, "prefixListId"),
        )


def is_wide_public(network: Network) -> bool:
    """Whether nobody could answer for it, and it is not all private."""
    return is_wide([network]) and not is_in_private_range(network)


def _peers(reader: Reader, whole: Node) -> Iterator[tuple[Node, Network]]:
    for key in _CIDRS:
        node = reader.field(whole, key)
        text = reader.text(node)
        if text:
            try:
                yield node, parse_network(text)
            except ValueError:
                continue  # which the API refuses


def _ports(reader: Reader, whole: Node) -> PortRange:
    """What cannot be read counts as every port."""
    try:
        return parse_ports(reader.text(reader.field(whole, "portRange")) or "")
    except ValueError:
        return parse_ports("")
