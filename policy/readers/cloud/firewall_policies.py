"""Policies of Cloud Firewall: what one lets pass, for whom, where to, and in what order.

Words: Cloud Firewall, API 2017-12-07, CreateNatFirewallControlPolicy and AddControlPolicy.
"""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network
from typing import Final

from policy.facts.addresses import parse_network
from policy.readers.cloud.kinds import NAT_POLICY
from policy.readers.cloud.ports import EVERY_PORT, PortRange, parse_ports
from policy.reading import Node, Reader, root
from policy.rule import UNKNOWN, Subject

ANY: Final = "ANY"
EVERY_ADDRESS: Final = IPv4Network("0.0.0.0/0")


class Resolution(Enum):
    """How the firewall knows a name."""

    FQDN = "by the name in the request"
    DNS = "by its addresses"
    BOTH = "by both"


_RESOLUTIONS: Final[dict[object, Resolution]] = {
    0: Resolution.FQDN,
    1: Resolution.DNS,
    2: Resolution.BOTH,
    "FQDN": Resolution.FQDN,
    "DNS": Resolution.DNS,
    "FQDN_AND_DNS": Resolution.BOTH,
}
"""`domainResolveType`: numbers at the NAT boundary, words at the internet boundary."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """Where traffic comes from, or goes to."""

    type: str
    """`net`, `group`, `domain` or `location`."""
    node: Node
    text: str | None
    """`None` where it is not there, or not known."""

    @property
    def is_everything(self) -> bool:
        """Whether it is every address of IPv4: no other decides about what a NAT gateway lets out."""
        if self.type != "net" or self.text is None:
            return False
        try:
            return parse_network(self.text) == EVERY_ADDRESS
        except ValueError:
            return False


@dataclass(frozen=True, kw_only=True, eq=False)
class FirewallPolicy:
    """One policy, as far as it can be read: for what cannot there is EGR700."""

    subject: Subject
    action: str
    protocol: str
    source: Side
    destination: Side
    port: Node
    """`destPort`, or `destPortGroup` where `port_group` says so."""
    ports: PortRange | None
    """`None` where a book holds them, and where they cannot be read."""
    port_group: str | None
    """The name of the book of ports."""
    applications: tuple[str, ...]
    resolution: Resolution
    """How a name is known; the first kind by default."""
    order: Node

    @property
    def is_outbound(self) -> bool:
        """Whether it is about what goes out."""
        return Reader().field(root(self.subject.whole), "direction").value != "in"

    @property
    def lets_pass(self) -> bool:
        """Whether what fits goes on: `log` only reports it."""
        return self.action != "drop"

    @property
    def lets_out(self) -> bool:
        """Whether something may go out by it."""
        return self.is_outbound and self.lets_pass

    @property
    def is_for_everything(self) -> bool:
        """Whether it decides about all traffic that comes to it, whoever sends it."""
        return self.is_to_everywhere and self.source.is_everything

    @property
    def is_to_everywhere(self) -> bool:
        """Whether it decides about all traffic of its senders."""
        every = self.destination.is_everything and self.ports == EVERY_PORT and self.protocol == ANY
        return every and set(self.applications) <= {ANY}


def policy_of(subject: Subject) -> FirewallPolicy:
    """The policy that `subject` is, of one of `FIREWALL_POLICIES`."""
    reader, whole = Reader(), root(subject.whole)
    by_group = _text(reader, whole, "destPortType") == "group"
    port = reader.field(whole, "destPortGroup" if by_group else "destPort")
    return FirewallPolicy(
        subject=subject,
        action=_text(reader, whole, "aclAction") or "",
        protocol=_text(reader, whole, "proto") or "",
        source=_side(reader, whole, "source"),
        destination=_side(reader, whole, "destination"),
        port=port,
        ports=None if by_group else _ports(reader, port),
        port_group=(reader.text(port) or "") if by_group else None,
        applications=_applications(reader, whole),
        resolution=_resolution(reader, whole),
        order=reader.field(whole, "newOrder"),
    )


def boundary_of(subject: Subject) -> str:
    """Where a policy stands, for messages."""
    return "NAT" if subject.group_kind == NAT_POLICY else "internet"


def _side(reader: Reader, whole: Node, key: str) -> Side:
    node = reader.field(whole, key)
    return Side(type=_text(reader, whole, f"{key}Type") or "", node=node, text=reader.text(node))


def _ports(reader: Reader, port: Node) -> PortRange | None:
    """What is not there is every port: the engine shows no value that only the update fills in."""
    if port.value is UNKNOWN:
        return None
    try:
        return parse_ports(reader.text(port) or "")
    except ValueError:
        return None


def _applications(reader: Reader, whole: Node) -> tuple[str, ...]:
    listed = [reader.text(item) for item in reader.items(reader.field(whole, "applicationNameLists"))]
    single = _text(reader, whole, "applicationName")
    return tuple(each for each in (*listed, single) if each)


def _resolution(reader: Reader, whole: Node) -> Resolution:
    value = reader.field(whole, "domainResolveType").value
    return _RESOLUTIONS.get(value, Resolution.FQDN) if isinstance(value, str | int) else Resolution.FQDN


def _text(reader: Reader, whole: Node, key: str) -> str | None:
    return reader.text(reader.field(whole, key))
