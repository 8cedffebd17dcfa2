"""Which port of its Service a gateway serves what on, where routes are Gateway API objects.

A route of Gateway API cannot choose a DestinationRule's subset, so all connections to one port of the gateway have the
same outer SNI, and the port alone tells client groups apart, and TLS and TCP hosts. docs/adr/0013-gateway-api.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from components.plan.flows import Flow
from components.plan.groups import ClientGroup
from components.plan.names import hash_bits
from components.settings.reserved import SHARED_PORTS, SINGLE_PORTS


@dataclass(frozen=True, kw_only=True)
class GatewayPorts:
    """The ports of one gateway."""

    shared: Mapping[tuple[str, int], int]
    """HTTP and GRPC: (client group, port that clients call) -> port of the gateway."""
    single: Mapping[tuple[str, int], int]
    """TLS and TCP: (host, port) -> port of the gateway."""

    def of(self, group: ClientGroup, flow: Flow) -> int:
        """Where the gateway listens for a flow of a group."""
        return self.single[flow.host, flow.port] if flow.needs_lane else self.shared[group.name, flow.port]

    @property
    def named(self) -> list[tuple[str, int]]:
        """Names and numbers for the Service; by the name's beginning istiod knows the protocol."""
        return [
            *((f"http2-{port}", port) for port in sorted(self.shared.values())),
            *((f"tls-{port}", port) for port in sorted(self.single.values())),
        ]


def gateway_ports(groups: Iterable[ClientGroup]) -> GatewayPorts:
    """The ports of one gateway, for all its groups.

    Found by hash, so the order plays no part, and kept when others come, but where their hashes collide.
    """
    flows = [(group, flow) for group in groups if group.clients for flow in group.flows]
    return GatewayPorts(
        shared=_allocated({(group.name, flow.port) for group, flow in flows if not flow.needs_lane}, SHARED_PORTS),
        single=_allocated({(flow.host, flow.port) for _, flow in flows if flow.needs_lane}, SINGLE_PORTS),
    )


def _allocated(keys: Iterable[tuple[str, int]], ports: Sequence[int]) -> dict[tuple[str, int], int]:
    """A port for every key: the one that its hash names, or the next that is free."""
    found: dict[tuple[str, int], int] = {}
    taken = set[int]()
    for hashed, key in sorted((hash_bits(f"{name}:{port}"), (name, port)) for name, port in keys):
        first = int(hashed, 2)
        number = next(port for step in range(len(ports)) if (port := ports[(first + step) % len(ports)]) not in taken)
        taken.add(number)
        found[key] = number
    return found
