"""Every port of every host outside, who may use it, and what is done with it, whichever destinations say so."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field

from components.plan.names import hash_bits
from components.settings.destinations import Destination, DestinationPort
from components.settings.reserved import ORIGINATION


@dataclass(frozen=True, kw_only=True, order=True)
class ServiceAccount:
    """A client: who a pod is, in the mesh. `*` is everyone in the namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """As the hand-off names it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, kw_only=True, order=True)
class DirectClient:
    """Pods that reach a host without a gateway: by labels, or all of a namespace where there are none."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """As names of objects are made from it."""
        return f"{self.namespace}/{','.join(f'{key}={value}' for key, value in self.labels) or '*'}"


@dataclass(frozen=True, kw_only=True, order=True)
class Flow:
    """One port of one host, and everyone who may use it, whichever destinations say so."""

    host: str
    port: int
    """The port that clients call."""
    protocol: str
    clients: frozenset[ServiceAccount]
    """Who may, through the gateway."""
    destinations: tuple[str, ...]
    direct: frozenset[DirectClient] = frozenset()
    """Who may, without one."""
    spec: DestinationPort = field(compare=False)
    """What is done with it."""
    entry: Destination = field(compare=False)
    """Its destination; where several declare it, they say the same about it."""
    known_as: int = field(compare=False)
    """The port by which proxies know it on its way out: another one than `port` where TLS starts there."""

    @property
    def is_tls(self) -> bool:
        """Passed through, recognised by SNI."""
        return self.protocol == "TLS"

    @property
    def needs_lane(self) -> bool:
        """No proxy sees requests in it, so that the gateway knows it by its port."""
        return self.protocol in ("TLS", "TCP")

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for many names."""
        return self.host.startswith("*")

    def is_direct_for(self, namespace: str) -> bool:
        """Whether clients of a namespace go there without a gateway."""
        return any(client.namespace == namespace for client in self.direct)

    @property
    def is_plain(self) -> bool:
        """Whether the client's identity alone decides."""
        return self.spec.allow is None and self.entry.is_plain


def all_flows(destinations: Mapping[str, Destination], direct_namespaces: Container[str]) -> list[Flow]:
    """Every host and port once, with the clients of all destinations that name it."""
    asked: defaultdict[tuple[str, int], list[tuple[str, DestinationPort]]] = defaultdict(list)
    origination: defaultdict[str, set[int]] = defaultdict(set)
    for name, destination in destinations.items():
        for host in destination.hosts:
            for port in destination.ports.values():
                asked[host, port.client_port].append((name, port))
                if port.tls is not None:
                    origination[host].add(port.client_port)
    flows: list[Flow] = []
    for (host, port), asking in asked.items():
        names = sorted({name for name, _ in asking})
        spec = asking[0][1]
        known_as = port if spec.tls is None else _origination(origination[host])[port]
        everyone = [client for name in names for client in _clients(destinations[name], direct_namespaces)]
        flows.append(
            Flow(
                host=host,
                port=port,
                protocol=spec.protocol,
                clients=frozenset(client for client in everyone if isinstance(client, ServiceAccount)),
                direct=frozenset(client for client in everyone if isinstance(client, DirectClient)),
                destinations=tuple(names),
                spec=spec,
                entry=destinations[names[0]],
                known_as=known_as,
            )
        )
    return flows


def _clients(destination: Destination, direct_namespaces: Container[str]) -> Iterator[ServiceAccount | DirectClient]:
    for namespace, client in destination.clients.items():
        if namespace in direct_namespaces:
            yield DirectClient(namespace=namespace, labels=tuple(sorted((client.labels or {}).items())))
        else:
            for account in client.service_accounts or ("*",):
                yield ServiceAccount(namespace=namespace, name=account)


def _origination(ports: Collection[int]) -> dict[int, int]:
    """By which number proxies know each port whose TLS they start: found by hash, so that others do not move it."""
    numbers: dict[int, int] = {}
    free = set(ORIGINATION)
    for port in sorted(ports, key=lambda each: hash_bits(f"{each}")):
        first = int(hash_bits(f"{port}"), 2)
        number = next(each for step in ORIGINATION if (each := ORIGINATION[(first + step) % len(ORIGINATION)]) in free)
        free.remove(number)
        numbers[port] = number
    return numbers
