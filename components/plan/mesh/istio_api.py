"""The way of a request, by Istio's API: sidecar -> egress gateway -> host outside, one function a kind of object.

Between sidecar and gateway it is always ISTIO_MUTUAL, also around TLS that is passed through, so that the gateway
knows the client's service account. The outer SNI names the chunk; within the chunk an HTTP host is known by its
`Host` header and a TLS or TCP host by its lane.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from components.plan.flows import Flow
from components.plan.groups import Chunk, ClientGroup
from components.plan.mesh.address import MUTUAL, GatewayAddress
from components.plan.mesh.limits import ambiguous_paths, overriding_headers
from components.plan.mesh.requests import handling, outside
from components.plan.names import kube_name
from components.plan.objects import KubeObject


def gateway(at: GatewayAddress, group: ClientGroup, *, enforced: bool) -> KubeObject:
    """The group's listeners: a server for each chunk and HTTP port, and one for each lane in use.

    A proxy connects to a TCP host before an AuthorizationPolicy has judged, and what a host says first would be heard
    by all: so such a lane knows its clients by their certificates.
    """
    servers: list[dict[str, Any]] = []
    for chunk in group.chunks:
        served = [flow for flow in chunk.http if flow.clients]
        for port in sorted({flow.port for flow in served}):
            hosts = sorted(flow.host for flow in served if flow.port == port)
            servers.append(_server(chunk, port, "HTTPS", [chunk.sni, *hosts]))
        lanes = [(lane, flow) for flow, lane in chunk.lanes.items() if flow.clients]
        for lane, flow in sorted(lanes, key=lambda each: each[0]):
            servers.append({**_server(chunk, lane, "TLS", [chunk.sni]), "tls": _tls(at, flow, enforced=enforced)})
    return at.object("Gateway", group.name, {"selector": at.labels, "servers": servers})


def virtual_service(
    at: GatewayAddress,
    group: ClientGroup,
    chunk: Chunk,
    others: Mapping[str, Flow],
    kept_inside: tuple[str, ...],
    *,
    enforced: bool,
) -> KubeObject:
    """A chunk's routes: from the sidecars (`mesh`) to the gateway, and from the gateway to each host."""
    own_gateway = f"{at.namespace}/{group.name}"
    lanes = [flow for flow in chunk.flows if flow.needs_lane]
    to_gateway = {"host": at.service, "subset": chunk.name}
    spec: dict[str, Any] = {
        # The chunk's SNI stands among the hosts because istiod gives a lane's server only routes of its host.
        "hosts": [*chunk.hosts, chunk.sni],
        "gateways": ["mesh", own_gateway],
        "exportTo": [".", *group.namespaces],
    }
    if chunk.http:
        spec["http"] = [
            *(
                {
                    # Also the number by which only proxies know the TLS side: nobody gets around the gateway by it.
                    "match": [{"gateways": ["mesh"], "port": number} for number in _numbers(chunk, port)],
                    "route": [{"destination": {**to_gateway, "port": {"number": port}}}],
                }
                for port in sorted({flow.port for flow in chunk.http})
            ),
            *(
                route
                for flow in chunk.http
                if flow.clients
                for route in from_gateway(flow, own_gateway, others, kept_inside, enforced=enforced)
            ),
        ]
    if lanes:
        spec |= _by_lane(chunk, lanes, to_gateway, own_gateway)
    return at.object("VirtualService", chunk.name, spec)


def direct_virtual_services(
    at: GatewayAddress, group: ClientGroup, chunk: Chunk, others: Mapping[str, Flow], kept_inside: tuple[str, ...]
) -> Iterator[KubeObject]:
    """A chunk's routes for each namespace without a gateway, where its sidecars have anything to do but pass it on."""
    for namespace in group.direct_namespaces:
        own = [flow for flow in chunk.http if flow.is_direct_for(namespace)]
        hosts = {flow.host for flow in own if flow.spec.tls is not None or flow.spec.routing is not None}
        if hosts:
            yield at.object(
                "VirtualService",
                kube_name(chunk.name, "direct", namespace),
                {
                    "hosts": sorted(hosts),
                    "gateways": ["mesh"],
                    "exportTo": [namespace],
                    "http": [
                        {
                            "match": [{"port": flow.port, "authority": _authority(flow)}],
                            **handling(flow, others, kept_inside),
                        }
                        for flow in own
                        if flow.host in hosts
                    ],
                },
            )


def from_gateway(
    flow: Flow, own_gateway: str, others: Mapping[str, Flow], kept_inside: tuple[str, ...], *, enforced: bool
) -> list[dict[str, Any]]:
    """What becomes of requests for a host once they are at `own_gateway`."""
    match = {"gateways": [own_gateway], "port": flow.port, "authority": _authority(flow)}
    taken = (*kept_inside, *(overriding_headers(flow) if enforced else ()))
    refused = ambiguous_paths(flow, match) if enforced else []
    return [*refused, {"match": [match], **handling(flow, others, taken)}]


def tcp_gateway(at: GatewayAddress, group: ClientGroup, ports: Mapping[Flow, int], *, enforced: bool) -> KubeObject:
    """The group's listeners for TCP where ports tell groups apart: no listener of Gateway API names its clients."""
    servers: list[dict[str, Any]] = [
        {
            "port": {"number": port, "name": f"port-{port}", "protocol": "TLS"},
            "hosts": ["*"],
            "tls": _tls(at, flow, enforced=enforced),
        }
        for flow, port in sorted(ports.items(), key=lambda each: each[1])
    ]
    return at.object("Gateway", kube_name(group.name, "tcp"), {"selector": at.labels, "servers": servers})


def tcp_virtual_service(at: GatewayAddress, group: ClientGroup, ports: Mapping[Flow, int]) -> KubeObject:
    """From those listeners to each host outside."""
    name = kube_name(group.name, "tcp")
    routes = [
        {"match": [{"port": port}], "route": [{"destination": outside(flow)}]}
        for flow, port in sorted(ports.items(), key=lambda each: each[1])
    ]
    gateways = [f"{at.namespace}/{name}"]
    return at.object("VirtualService", name, {"hosts": ["*"], "gateways": gateways, "exportTo": ["."], "tcp": routes})


def _tls(at: GatewayAddress, flow: Flow, *, enforced: bool) -> dict[str, Any]:
    """A lane of TCP takes its clients' certificates only, where it may refuse any."""
    if not enforced or flow.protocol != "TCP":
        return {"mode": MUTUAL}
    return {
        "mode": MUTUAL,
        "subjectAltNames": [f"spiffe://{at.principal(client)}" for client in sorted(flow.clients)],
    }


def _by_lane(
    chunk: Chunk, lanes: list[Flow], to_gateway: Mapping[str, Any], own_gateway: str
) -> dict[str, list[dict[str, Any]]]:
    """Connections in which no proxy sees requests: recognised by SNI or address at the sidecar, by lane after it."""
    fields: dict[str, list[dict[str, Any]]] = {"tls": [], "tcp": []}
    for flow in lanes:
        route = [{"destination": {**to_gateway, "port": {"number": chunk.lanes[flow]}}}]
        match: dict[str, Any] = {"gateways": ["mesh"], "port": flow.port}
        if flow.is_tls:
            fields["tls"].append({"match": [{**match, "sniHosts": [flow.host]}], "route": route})
        else:
            fields["tcp"].append({"match": [match], "route": route})
    fields["tcp"] += [
        {
            "match": [{"gateways": [own_gateway], "port": chunk.lanes[flow]}],
            "route": [{"destination": outside(flow)}],
        }
        for flow in lanes
        if flow.clients  # a lane of nobody has no listener
    ]
    return {kind: routes for kind, routes in fields.items() if routes}


def _numbers(chunk: Chunk, port: int) -> list[int]:
    """The port that clients call, and those by which proxies know the hosts behind it."""
    return [port, *sorted({flow.known_as for flow in chunk.http if flow.port == port} - {port})]


def _server(chunk: Chunk, port: int, protocol: str, hosts: list[str]) -> dict[str, Any]:
    return {
        "port": {"number": port, "name": f"{chunk.name}-{port}", "protocol": protocol},
        "hosts": hosts,
        "tls": {"mode": MUTUAL},
    }


def _authority(flow: Flow) -> dict[str, str]:
    """A `Host` header that names the host: in any case, with or without a port (RFC 9110, section 7.2)."""
    zone = flow.host.removeprefix("*.")
    names = re.escape(zone) if zone == flow.host else rf"[^:/@]+\.{re.escape(zone)}"
    return {"regex": rf"(?i){names}(:[0-9]+)?"}
