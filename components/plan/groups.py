"""Which hosts share objects, so that thousands of hosts need hundreds of objects, and adding one touches a handful.

Hosts with the same clients form a *client group*. It has one Gateway, one AuthorizationPolicy, and a ServiceEntry
per set of ports. Its routes come in *chunks*, a VirtualService each. Within a chunk every TLS port of a host has a
*lane*: a gateway port that no other host of the chunk has, because Envoy knows a terminated TCP connection by its
port alone. Other chunks use the same lanes again; the outer SNI tells the chunks apart. docs/adr/0003-lanes.md.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from components.plan.names import digest, hash_bits, kube_name
from components.settings.models import Destination
from components.settings.reserved import LANES, MOST_TLS_PORTS

CHUNK_HOSTS: Final = 64
"""Hosts in a chunk: Envoy tries a chunk's HTTP routes one after the other."""
ENTRY_HOSTS: Final = 200
"""Hosts in a ServiceEntry; its CRD allows 256."""

SNI_ROOT: Final = "egress.internal"
"""The zone of the outer SNIs. No DNS server knows it, and no destination may be in it."""


@dataclass(frozen=True, kw_only=True, order=True)
class ServiceAccount:
    """A client: who a pod is, in the mesh."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """As the hand-off names it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, kw_only=True, order=True)
class Flow:
    """One port of one host, and everyone who may use it, whichever destinations say so."""

    host: str
    port: int
    protocol: str
    clients: frozenset[ServiceAccount]
    destinations: tuple[str, ...]

    @property
    def is_tls(self) -> bool:
        """Passed through, recognised by SNI."""
        return self.protocol == "TLS"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Hosts of one client group whose routes share a VirtualService."""

    name: str
    sni: str
    flows: tuple[Flow, ...]
    lanes: Mapping[Flow, int]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The chunk's hosts, sorted."""
        return tuple(sorted({flow.host for flow in self.flows}))


@dataclass(frozen=True, kw_only=True)
class ClientGroup:
    """Hosts with the same clients."""

    name: str
    clients: frozenset[ServiceAccount]
    flows: tuple[Flow, ...]
    chunks: tuple[Chunk, ...]

    @property
    def sni_domain(self) -> str:
        """The domain of the group's outer SNIs; no DNS server knows it."""
        return f"{self.name}.{SNI_ROOT}"

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The clients' namespaces, sorted."""
        return tuple(sorted({client.namespace for client in self.clients}))


def client_groups(destinations: Mapping[str, Destination]) -> tuple[ClientGroup, ...]:
    """All destinations as client groups, sorted by name; the order of the declaration plays no part."""
    by_host: defaultdict[str, list[Flow]] = defaultdict(list)
    for flow in _flows(destinations):
        by_host[flow.host].append(flow)
    by_clients: defaultdict[frozenset[ServiceAccount], list[Flow]] = defaultdict(list)
    for flows in by_host.values():
        by_clients[frozenset().union(*(flow.clients for flow in flows))] += flows
    groups = [_group(clients, sorted(flows)) for clients, flows in by_clients.items()]
    return tuple(sorted(groups, key=lambda group: group.name))


def entry_shards(group: ClientGroup) -> dict[str, tuple[tuple[str, ...], tuple[tuple[int, str], ...]]]:
    """A group's ServiceEntries: name -> (hosts, (port, protocol) pairs). Every host in one has exactly those ports."""
    ports_of: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for flow in group.flows:
        ports_of[flow.host].append((flow.port, flow.protocol))
    by_ports: defaultdict[tuple[tuple[int, str], ...], list[str]] = defaultdict(list)
    for host, ports in ports_of.items():
        by_ports[tuple(sorted(ports))].append(host)
    shards: dict[str, tuple[tuple[str, ...], tuple[tuple[int, str], ...]]] = {}
    for ports, hosts in by_ports.items():
        label = "-".join(f"{protocol.lower()}{port}" for port, protocol in ports)
        for shard, members in split(hosts, key=str, fits=lambda some: len(some) <= ENTRY_HOSTS).items():
            shards[kube_name(group.name, label, shard)] = (tuple(sorted(members)), ports)
    return dict(sorted(shards.items()))


Item = TypeVar("Item")


def split(
    items: Iterable[Item], *, key: Callable[[Item], str], fits: Callable[[Sequence[Item]], bool]
) -> dict[str, list[Item]]:
    """Split items into the fewest leaves of a binary tree over their keys' hashes that each fit.

    The leaves depend on the set alone, not on its order. A new item changes its own leaf; where that overflows, half
    of it moves to one new leaf and the other half keeps the name, because a leaf is named by its path without
    trailing zeros. Items with the same key stay together.
    """
    leaves: dict[str, list[Item]] = {}

    def grow(members: list[Item], path: str) -> None:
        if fits(members) or len({key(item) for item in members}) == 1:
            leaves[path.rstrip("0") or "0"] = members
            return
        for bit in "01":
            half = [item for item in members if hash_bits(key(item))[len(path)] == bit]
            if half:
                grow(half, path + bit)

    everything = list(items)
    if everything:
        grow(everything, "")
    return dict(sorted(leaves.items()))


def _flows(destinations: Mapping[str, Destination]) -> list[Flow]:
    """Every host and port once, with the clients of all destinations that name it."""
    clients: defaultdict[tuple[str, int, str], set[ServiceAccount]] = defaultdict(set)
    names: defaultdict[tuple[str, int, str], set[str]] = defaultdict(set)
    for name, destination in destinations.items():
        allowed = {
            ServiceAccount(namespace=namespace, name=account)
            for namespace, client in destination.clients.items()
            for account in client.service_accounts
        }
        for host in destination.hosts:
            for port in destination.ports.values():
                clients[host, port.port, port.protocol] |= allowed
                names[host, port.port, port.protocol].add(name)
    return [
        Flow(
            host=key[0],
            port=key[1],
            protocol=key[2],
            clients=frozenset(who),
            destinations=tuple(sorted(names[key])),
        )
        for key, who in clients.items()
    ]


def _group(clients: frozenset[ServiceAccount], flows: Sequence[Flow]) -> ClientGroup:
    namespaces = "-".join(sorted({client.namespace for client in clients}))
    identity = digest(",".join(sorted(map(str, clients))), 8)
    name = kube_name(namespaces[:32].rstrip("-"), identity)
    chunks = split(flows, key=lambda flow: flow.host, fits=_fits_chunk)
    return ClientGroup(
        name=name,
        clients=clients,
        flows=tuple(flows),
        chunks=tuple(
            Chunk(
                name=kube_name(name, chunk),
                sni=f"{chunk}.{name}.{SNI_ROOT}",
                flows=tuple(members),
                lanes=_lanes(members),
            )
            for chunk, members in chunks.items()
        ),
    )


def _fits_chunk(flows: Sequence[Flow]) -> bool:
    return sum(flow.is_tls for flow in flows) <= MOST_TLS_PORTS and len({flow.host for flow in flows}) <= CHUNK_HOSTS


def _lanes(flows: Sequence[Flow]) -> dict[Flow, int]:
    """A lane for every TLS flow, found by its hash and kept when others come, but where their hashes collide."""
    lanes: dict[Flow, int] = {}
    free = set(LANES)
    for flow in sorted((f for f in flows if f.is_tls), key=lambda f: hash_bits(f"{f.host}:{f.port}")):
        first = int(hash_bits(f"{flow.host}:{flow.port}"), 2)
        lane = next(lane for step in LANES if (lane := LANES[(first + step) % len(LANES)]) in free)
        free.remove(lane)
        lanes[flow] = lane
    return lanes
