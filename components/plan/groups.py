"""Which hosts share objects, so that thousands of hosts need hundreds of objects, and adding one touches a handful.

Hosts with the same clients and gateway form a *client group*. It has one Gateway, one AuthorizationPolicy, and a
ServiceEntry per set of ports. Its routes come in *chunks*, a VirtualService each. Within a chunk every TLS or TCP port
of a host has a *lane*: a gateway port that no other host of the chunk has, because Envoy knows a terminated TCP
connection by its port alone. Other chunks use the same lanes again; the outer SNI tells the chunks apart. A host with
TCP, or a wildcard, is a chunk of its own: nothing but its VirtualService tells TCP hosts of one port apart, and a
wildcard's requests would match the routes of others. Hosts without requests, and hosts whose TLS starts at the gateway,
have chunks apart from the others. docs/adr/0003-lanes.md.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from components.plan.flows import DirectClient, Flow, ServiceAccount, all_flows
from components.plan.names import digest, hash_bits, kube_name
from components.settings.destinations import Destination
from components.settings.reserved import LANES, MOST_TLS_PORTS

CHUNK_HOSTS: Final = 64
"""Hosts in a chunk: Envoy tries a chunk's HTTP routes one after the other."""
ENTRY_HOSTS: Final = 200
"""Hosts in a ServiceEntry; its CRD allows 256."""

SNI_ROOT: Final = "egress.internal"
"""The zone of the outer SNIs. No DNS server knows it, and no destination may be in it."""


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

    @property
    def http(self) -> tuple[Flow, ...]:
        """What is known by its `Host` header."""
        return tuple(flow for flow in self.flows if not flow.needs_lane)


@dataclass(frozen=True, kw_only=True)
class ClientGroup:
    """Hosts with the same clients."""

    name: str
    gateway: str | None
    """The gateway's name; `None` for egress.mesh.gateway."""
    clients: frozenset[ServiceAccount]
    direct: frozenset[DirectClient]
    flows: tuple[Flow, ...]
    chunks: tuple[Chunk, ...]

    @property
    def sni_domain(self) -> str:
        """The domain of the group's outer SNIs; no DNS server knows it."""
        return f"{self.name}.{SNI_ROOT}"

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of clients that go through the gateway, sorted."""
        return tuple(sorted({client.namespace for client in self.clients}))

    @property
    def direct_namespaces(self) -> tuple[str, ...]:
        """The namespaces of clients that go without one, sorted."""
        return tuple(sorted({client.namespace for client in self.direct}))


def client_groups(
    destinations: Mapping[str, Destination], *, direct_namespaces: Container[str] = frozenset()
) -> tuple[ClientGroup, ...]:
    """All destinations as client groups, sorted by name; the order of the declaration plays no part.

    Args:
        destinations: by name.
        direct_namespaces: the namespaces whose clients go without a gateway.
    """
    by_host: defaultdict[tuple[str | None, str], list[Flow]] = defaultdict(list)
    for flow in all_flows(destinations, direct_namespaces):
        by_host[flow.entry.gateway, flow.host].append(flow)
    by_clients: defaultdict[_Identity, list[Flow]] = defaultdict(list)
    for (gateway, _), flows in by_host.items():
        clients = frozenset[ServiceAccount]().union(*(flow.clients for flow in flows))
        direct = frozenset[DirectClient]().union(*(flow.direct for flow in flows))
        by_clients[gateway, clients, direct] += flows
    groups = [_group(*identity, sorted(flows)) for identity, flows in by_clients.items()]
    return tuple(sorted(groups, key=lambda group: group.name))


_Identity = tuple[str | None, frozenset[ServiceAccount], frozenset[DirectClient]]


@dataclass(frozen=True, kw_only=True)
class EntryShard:
    """Hosts of a group that share a ServiceEntry: each has exactly these ports, and stands at these places."""

    name: str
    hosts: tuple[str, ...]
    flows: tuple[Flow, ...]
    """The flows of the first host: the others' are the same but for the name."""


def entry_shards(group: ClientGroup, *, alone: Callable[[Flow], bool] = lambda _: False) -> tuple[EntryShard, ...]:
    """A group's ServiceEntries, sorted by name.

    Args:
        group: the group.
        alone: which flows give their host a ServiceEntry of its own.
    """
    flows_of: defaultdict[str, list[Flow]] = defaultdict(list)
    for flow in group.flows:
        flows_of[flow.host].append(flow)
    by_looks: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for host, flows in flows_of.items():
        ports = tuple((flow.port, flow.protocol, flow.spec.port, flow.known_as) for flow in sorted(flows))
        place = (flows[0].entry.addresses, flows[0].entry.served_by)
        # istiod's validation: "multiple hosts provided with non-HTTP, non-TLS ports".
        own = host if any(flow.protocol == "TCP" for flow in flows) or any(map(alone, flows)) else ""
        by_looks[ports, place, own].append(host)
    shards: list[EntryShard] = []
    for (ports, place, own), hosts in by_looks.items():
        label = "-".join(f"{protocol.lower()}{port}" for port, protocol, _, _ in ports)
        outside = [f"{out}" for port, _, out, _ in ports if out != port]
        further = [*outside, *(f"{each}" for each in place if each is not None), own]
        parts = [group.name, label, *([digest(",".join(further), 6)] if any(further) else [])]
        for shard, members in split(hosts, key=str, fits=lambda some: len(some) <= ENTRY_HOSTS).items():
            first = min(members)
            shards.append(
                EntryShard(
                    name=kube_name(*parts, shard), hosts=tuple(sorted(members)), flows=tuple(sorted(flows_of[first]))
                )
            )
    return tuple(sorted(shards, key=lambda shard: shard.name))


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


def _group(
    gateway: str | None,
    clients: frozenset[ServiceAccount],
    direct: frozenset[DirectClient],
    flows: Sequence[Flow],
) -> ClientGroup:
    namespaces = "-".join(sorted({client.namespace for client in (*clients, *direct)}))
    ways = [*sorted(map(str, clients)), *(f"direct:{client}" for client in sorted(direct))]
    identity = digest(",".join([*ways, *([] if gateway is None else [f"gateway:{gateway}"])]), 8)
    name = kube_name(namespaces[:32].rstrip("-"), identity)
    alone = {flow.host for flow in flows if flow.protocol == "TCP" or flow.is_wildcard}
    shared: dict[str, list[Flow]] = {}
    for kind, members in _by_kind([flow for flow in flows if flow.host not in alone]).items():
        leaves = split(members, key=lambda flow: flow.host, fits=_fits_chunk)
        shared |= {f"{kind}{leaf}": leaf_flows for leaf, leaf_flows in leaves.items()}
    single = {f"only-{digest(host, 8)}": [flow for flow in flows if flow.host == host] for host in sorted(alone)}
    return ClientGroup(
        name=name,
        gateway=gateway,
        clients=clients,
        direct=direct,
        flows=tuple(flows),
        chunks=tuple(
            Chunk(
                name=kube_name(name, chunk),
                sni=f"{chunk}.{name}.{SNI_ROOT}",
                flows=tuple(members),
                lanes=_lanes(members),
            )
            for chunk, members in {**shared, **single}.items()
        ),
    )


def _by_kind(flows: Sequence[Flow]) -> dict[str, list[Flow]]:
    """Hosts that may share a chunk, by what its name begins with.

    istiod gives every host of a VirtualService a virtual host on every port on which one of them has requests. So
    hosts without requests stay apart, and those with a port number more, by which proxies know their TLS.
    """
    hosts_with_requests = {flow.host for flow in flows if not flow.needs_lane}
    originated = {flow.host for flow in flows if flow.spec.tls is not None}
    kinds: defaultdict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        kinds["origin-" if flow.host in originated else "" if flow.host in hosts_with_requests else "tls-"].append(flow)
    return dict(sorted(kinds.items()))


def _fits_chunk(flows: Sequence[Flow]) -> bool:
    return (
        sum(flow.needs_lane for flow in flows) <= MOST_TLS_PORTS and len({flow.host for flow in flows}) <= CHUNK_HOSTS
    )


def _lanes(flows: Sequence[Flow]) -> dict[Flow, int]:
    """A lane for every TLS and TCP flow, found by its hash; kept when others come, but where their hashes collide."""
    lanes: dict[Flow, int] = {}
    free = set(LANES)
    for flow in sorted((f for f in flows if f.needs_lane), key=lambda f: hash_bits(f"{f.host}:{f.port}")):
        first = int(hash_bits(f"{flow.host}:{flow.port}"), 2)
        lane = next(lane for step in LANES if (lane := LANES[(first + step) % len(LANES)]) in free)
        free.remove(lane)
        lanes[flow] = lane
    return lanes
