"""What NetworkPolicies (networking.k8s.io) open, read once for every rule about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from policy.facts.addresses import Network, canonical_network, is_wide, parse_network, special_networks
from policy.facts.ports import LAST_PORT
from policy.readers.selectors import selects_all
from policy.reading import Node, Reader, as_mapping, is_empty, root, shown
from policy.rule import UNKNOWN, Context, Finding, Grants, Subject

NETWORK_POLICY = "networking.k8s.io/NetworkPolicy"
_PEERS = ("podSelector", "namespaceSelector", "ipBlock")
_TCP = "TCP"
_DNS_PORT = 53
_DNS_PROTOCOLS = frozenset({_TCP, "UDP"})


@dataclass(frozen=True, kw_only=True)
class PortSpan:
    """Ports of one protocol, from the first to the last of them; of a named port no number is known."""

    protocol: str
    first: int | None
    last: int | None


@dataclass(frozen=True, kw_only=True)
class Block:
    """An ipBlock of a policy."""

    path: str
    text: str
    """As the policy spells it."""
    network: Network
    """As what is really connected to: an IPv4 network that is spelled as IPv6 is the IPv4 network."""
    excepted: tuple[Network, ...]
    """What `except` takes out of it, in as few networks as can be."""
    ports: tuple[PortSpan, ...] | None
    """The ports that its rule opens; `None` is every port, and so is one that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class PolicyRule:
    """A rule of a policy: peers and the ports that it opens to them, or lets them in on."""

    path: str
    unbounded: tuple[Finding, ...]
    """Where it names no peer, so that it means everybody."""
    blocks: tuple[Block, ...]
    ports: tuple[PortSpan, ...] | None
    """As in `Block`."""


@dataclass(frozen=True, kw_only=True)
class Openings:
    """What a NetworkPolicy opens, and whom it shuts in."""

    locks: bool
    """Whether it selects every pod of its namespace for egress, so that only what is opened is open."""
    egress: tuple[PolicyRule, ...]
    ingress: tuple[PolicyRule, ...]
    unreadable: tuple[Finding, ...]
    """What nobody can read, so that it could open anything."""

    @property
    def egress_blocks(self) -> tuple[Block, ...]:
        """Every block that it opens."""
        return tuple(block for rule in self.egress for block in rule.blocks)


@lru_cache(maxsize=16)  # several rules ask about one policy in a row
def openings_of(subject: Subject) -> Openings:
    """Read `subject`, a NetworkPolicy. Its rules count whether or not `policyTypes` puts them in force."""
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    types = [reader.text(item) for item in reader.items(reader.field(spec, "policyTypes"))]
    is_for_all = _selects_every_pod(reader, reader.field(spec, "podSelector"))
    egress = tuple(_rule(reader, rule, "to") for rule in reader.items(reader.field(spec, "egress")))
    ingress = tuple(_rule(reader, rule, "from") for rule in reader.items(reader.field(spec, "ingress")))
    return Openings(
        locks="Egress" in types and is_for_all, egress=egress, ingress=ingress, unreadable=tuple(reader.findings)
    )


def wide_blocks(openings: Openings, namespace: str, context: Context) -> tuple[Block, ...]:
    """The blocks of a policy that together open too wide a part of the Internet; none if they do not.

    Blocks count as a set, across the rules of the policy. `except` does not make a block narrow, but for one thing:
    where the approvals let a gateway, or who fetches keys of issuers, reach any public address on some ports, its
    blocks may be wide if they leave out everything that is not public and everything of the cluster.

    Args:
        openings: of the policy.
        namespace: the policy's.
        context: with the approvals.
    """
    known = context.gateway_namespaces | context.fetcher_namespaces
    at_gateway = not context.gateway_namespaces or namespace in known
    judged = tuple(
        block for block in openings.egress_blocks if not (at_gateway and _is_approved(block, context.grants))
    )
    return judged if is_wide(block.network for block in judged) else ()


def is_only_dns(ports: tuple[PortSpan, ...] | None) -> bool:
    """Whether `ports` are port 53 of TCP or UDP, and nothing else."""
    return bool(ports) and all(
        span.protocol in _DNS_PROTOCOLS and span.first == _DNS_PORT and span.last == _DNS_PORT for span in ports or ()
    )


def may_hold_clients(namespace: str, context: Context) -> bool:
    """Whether a policy of `namespace` selects pods of clients; one without a namespace may select any pods."""
    return context.client_namespaces != frozenset() and namespace in ("", *context.client_namespaces)


def shown_blocks(blocks: Iterable[Block]) -> str:
    """The blocks, for a message."""
    return shown(", ".join(block.text for block in blocks))


def _is_approved(block: Block, grants: Grants) -> bool:
    """Whether `block` is public addresses on approved ports, and nothing else."""
    if not block.ports or not all(_is_on(span, grants.public_ports) for span in block.ports):
        return False
    version = block.network.version
    cluster = [known.network for known in grants.cluster_ranges if known.network.version == version]
    return all(_is_left_out(network, block) for network in (*special_networks(version), *cluster))


def _is_on(span: PortSpan, ports: frozenset[int]) -> bool:
    return span.protocol == _TCP and span.first in ports and span.last == span.first


def _is_left_out(network: Network, block: Block) -> bool:
    """Whether no address of `network` is among those of `block`."""
    if not network.overlaps(block.network):
        return True
    inside = network if network.prefixlen >= block.network.prefixlen else block.network
    first, last = int(inside.network_address), int(inside.broadcast_address)
    return any(
        int(excepted.network_address) <= first and last <= int(excepted.broadcast_address)
        for excepted in block.excepted
        if excepted.version == inside.version
    )


def _selects_every_pod(reader: Reader, selector: Node) -> bool:
    if selector.value is None or selector.value is UNKNOWN:
        reader.mapping(selector)
        return False
    return selects_all(reader, selector)


def _rule(reader: Reader, rule: Node, key: str) -> PolicyRule:
    peers = reader.field(rule, key)
    ports = _ports(reader, reader.field(rule, "ports"))
    unbounded: list[Finding] = []
    if is_empty(peers) and (rule.value is None or as_mapping(rule.value) is not None):
        unbounded.append(Finding(path=rule.path, message=f"has no `{key}`"))
    blocks: list[Block] = []
    for peer in reader.items(peers):
        fields = reader.mapping(peer)
        if is_empty(peer) or (fields and not any(fields.get(kind) is not None for kind in _PEERS)):
            unbounded.append(Finding(path=peer.path, message=f"is none of {', '.join(_PEERS)}"))
        blocks += _block(reader, reader.field(peer, "ipBlock"), ports)
    return PolicyRule(path=rule.path, unbounded=tuple(unbounded), blocks=tuple(blocks), ports=ports)


def _block(reader: Reader, block: Node, ports: tuple[PortSpan, ...] | None) -> Iterator[Block]:
    excepted = [_network(reader, item) for item in reader.items(reader.field(block, "except"))]
    cidr = reader.field(block, "cidr")
    if cidr.value is None and as_mapping(block.value) is not None:
        reader.report(cidr, "is missing")
    network = _network(reader, cidr)
    if network is not None:
        four = collapse_addresses([each for each in excepted if isinstance(each, IPv4Network)])
        six = collapse_addresses([each for each in excepted if isinstance(each, IPv6Network)])
        yield Block(
            path=cidr.path,
            text=f"{cidr.value}",
            network=canonical_network(network),
            excepted=(*four, *six),
            ports=ports,
        )


def _network(reader: Reader, cidr: Node) -> Network | None:
    text = reader.text(cidr)
    if text is None:
        return None
    try:
        return parse_network(text)
    except ValueError:
        reader.report(cidr, f"{shown(text)} is not a CIDR in its plain form")
        return None


def _ports(reader: Reader, ports: Node) -> tuple[PortSpan, ...] | None:
    spans = [_span(reader, port) for port in reader.items(ports)]
    known = tuple(span for span in spans if span is not None)
    return known if known and len(known) == len(spans) else None


def _span(reader: Reader, item: Node) -> PortSpan | None:
    """None for every port: an item without one, or one that cannot be read."""
    protocol, port, end = (reader.field(item, key) for key in ("protocol", "port", "endPort"))
    text = _TCP if protocol.value is None else reader.text(protocol)
    if isinstance(port.value, str) and not port.value.isdecimal():
        return None if text is None else PortSpan(protocol=text, first=None, last=None)
    first = reader.number(port)
    last = first if end.value is None else reader.number(end)
    if text is None or first is None or last is None:
        return None
    if not 0 < first <= last <= LAST_PORT:
        reader.report(port, f"{first} to {last} is no range of ports")
        return None
    return PortSpan(protocol=text, first=first, last=last)
