"""ServiceEntries: which hosts outside the mesh knows, and which namespaces see them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.plan.flows import Flow
from components.plan.groups import ClientGroup, EntryShard
from components.plan.mesh.address import GatewayAddress
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.settings.destinations import Destination


def service_entries(
    at: GatewayAddress, group: ClientGroup, shards: Sequence[EntryShard], destinations: Mapping[str, Destination]
) -> Iterator[KubeObject]:
    """The group's hosts, seen by its clients' namespaces and by the gateway only."""
    for shard in shards:
        own = set(shard.hosts)
        declared = {destination for flow in group.flows if flow.host in own for destination in flow.destinations}
        yield at.object(
            "ServiceEntry",
            shard.name,
            {
                "hosts": list(shard.hosts),
                "location": "MESH_EXTERNAL",
                "ports": [port for flow in shard.flows for port in _ports(flow)],
                **_place(shard),
                "exportTo": export_to(group),
            },
            annotations={DECLARATION: declaration({each: destinations[each] for each in declared})},
        )


def export_to(group: ClientGroup) -> list[str]:
    """Who sees the group's objects: the gateways' namespace, and its clients'."""
    return [".", *sorted({*group.namespaces, *group.direct_namespaces})]


def _place(shard: EntryShard) -> dict[str, Any]:
    """Where the hosts are: found in DNS by the proxies, or at fixed addresses."""
    first = shard.flows[0]
    if first.entry.addresses is not None:
        # Sidecars recognise TCP by the address that the client calls.
        by_address = any(flow.protocol == "TCP" for flow in shard.flows)
        return {
            **({"addresses": list(first.entry.addresses)} if by_address else {}),
            "resolution": "STATIC",
            "endpoints": [{"address": address} for address in first.entry.addresses],
        }
    if first.entry.served_by is not None:
        return {"resolution": "DNS", "endpoints": [{"address": first.entry.served_by}]}
    return {"resolution": "DNS"}


def _ports(flow: Flow) -> Iterator[dict[str, Any]]:
    protocol = flow.protocol.lower()
    if flow.spec.tls is None:
        yield {"number": flow.port, "name": f"{protocol}-{flow.port}", "protocol": flow.protocol}
        return
    outside = flow.spec.port
    for number in (flow.port, flow.known_as):
        yield {
            "number": number,
            "name": f"{protocol}-{number}",
            "protocol": flow.protocol,
            "targetPort": outside,
        }
