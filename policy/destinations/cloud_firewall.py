"""Where policies of Cloud Firewall let traffic go: what stands in them, and what stands in books of addresses."""

from policy.destinations.walk import Walk
from policy.readers.cloud.firewall_policies import FirewallPolicy, policy_of
from policy.readers.cloud.ports import PortRange, parse_ports
from policy.reading import Node, root, shown
from policy.rule import UNKNOWN, Subject


def firewall_policy(walk: Walk, subject: Subject) -> None:
    """A policy for what goes out and that lets it pass: its address or name, and its ports."""
    policy = policy_of(subject)
    if not policy.lets_out:
        return
    ports = _ports(walk, policy)
    if policy.destination.type == "net":
        walk.block(policy.destination.node, ports=ports)
    elif policy.destination.type == "domain":
        walk.name(policy.destination.node, required=True, wildcard=True)


def _ports(walk: Walk, policy: FirewallPolicy) -> frozenset[int]:
    if policy.port_group is not None:
        return frozenset()
    text = policy.port.value
    if text is not None and text is not UNKNOWN:
        try:
            parse_ports(f"{text}")
        except ValueError:
            walk.reader.report(policy.port, f"{shown(text)} is no port and no range of ports")
    if policy.ports is None or policy.ports.is_wide:
        return frozenset()
    numbers = range(policy.ports.first, policy.ports.last + 1)
    return frozenset[int]().union(*(walk.port(Node(value=number, path=policy.port.path)) for number in numbers))


def address_book(walk: Walk, subject: Subject, ports: frozenset[int] = frozenset()) -> list[PortRange]:
    """What a book holds: addresses and names as places, and its ports.

    Args:
        walk: collects the places, and what in the book cannot be read.
        subject: the book.
        ports: those of the policy that leads to its addresses.
    """
    whole = root(subject.whole)
    kind = walk.reader.text(walk.reader.field(whole, "groupType"))
    found: list[PortRange] = []
    for entry in walk.reader.items(walk.reader.field(whole, "addressLists")):
        if entry.value is UNKNOWN:
            continue  # whose address it is, only the stack as a whole can say
        if kind == "domain":
            walk.name(entry, required=True, wildcard=True)
        elif kind == "port":
            found += _port_entry(walk, entry)
        else:
            walk.block(entry, ports=ports)
    return found


def _port_entry(walk: Walk, entry: Node) -> list[PortRange]:
    try:
        return [parse_ports(walk.reader.text(entry) or "-")]
    except ValueError:
        walk.reader.report(entry, f"{shown(entry.value)} is no port and no range of ports")
        return []
