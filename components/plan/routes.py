"""The way of a request: sidecar -> egress gateway -> host outside, one function a kind of object.

Between sidecar and gateway it is always ISTIO_MUTUAL, also around TLS that is passed through, so that the gateway
knows the client's service account. The outer SNI names the chunk; within the chunk an HTTP host is known by its
`Host` header and a TLS host by its lane.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.plan.groups import Chunk, ClientGroup, Flow, ServiceAccount, entry_shards
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.settings.models import Destination

GATEWAY: Final = "egress-gateway"
"""The name of the gateway's release, Deployment, Service and service account."""
GATEWAY_LABELS: Final = {"app": GATEWAY, "istio": GATEWAY}
"""The labels of the gateway's pods."""
_NETWORKING: Final = "networking.istio.io/v1"
_SECURITY: Final = "security.istio.io/v1"
_MUTUAL: Final = "ISTIO_MUTUAL"
INTERNAL_HEADERS: Final = (
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-peer-metadata",
    "x-envoy-peer-metadata-id",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-proto",
)
"""Request headers that proxies add, and that tell the outside about pods (seen with istiod 1.31 and Envoy 1.40).

`x-request-id` stays: it tells nothing, and is what joins our log to theirs.
"""


@dataclass(frozen=True, kw_only=True)
class GatewayAddress:
    """The egress gateway as the mesh knows it."""

    namespace: str
    cluster_domain: str
    trust_domain: str

    @property
    def service(self) -> str:
        """The full name of its Service."""
        return f"{GATEWAY}.{self.namespace}.svc.{self.cluster_domain}"

    def principal(self, client: ServiceAccount) -> str:
        """A client as its certificate names it, without `spiffe://`."""
        return f"{self.trust_domain}/ns/{client.namespace}/sa/{client.name}"


def service_entries(
    at: GatewayAddress, group: ClientGroup, destinations: Mapping[str, Destination]
) -> Iterator[KubeObject]:
    """The group's hosts, seen by its clients' namespaces and by the gateway only."""
    for name, (hosts, ports) in entry_shards(group).items():
        own = set(hosts)
        declared = {destination for flow in group.flows if flow.host in own for destination in flow.destinations}
        yield _object(
            at,
            "ServiceEntry",
            name,
            {
                "hosts": list(hosts),
                "location": "MESH_EXTERNAL",
                "ports": [
                    {"number": port, "name": f"{protocol.lower()}-{port}", "protocol": protocol}
                    for port, protocol in ports
                ],
                "resolution": "DNS",
                "exportTo": _export_to(group),
            },
            annotations={DECLARATION: declaration({each: destinations[each] for each in declared})},
        )


def gateway(at: GatewayAddress, group: ClientGroup) -> KubeObject:
    """The group's listeners: a server for each chunk and HTTP port, and one for each lane in use."""
    servers: list[dict[str, Any]] = []
    for chunk in group.chunks:
        plain = [flow for flow in chunk.flows if not flow.is_tls]
        for port in sorted({flow.port for flow in plain}):
            hosts = sorted(flow.host for flow in plain if flow.port == port)
            servers.append(_server(chunk, port, "HTTPS", [chunk.sni, *hosts]))
        servers += [_server(chunk, lane, "TLS", [chunk.sni]) for lane in sorted(chunk.lanes.values())]
    return _object(at, "Gateway", group.name, {"selector": GATEWAY_LABELS, "servers": servers})


def destination_rule(at: GatewayAddress, namespace: str, groups: Sequence[ClientGroup]) -> KubeObject | None:
    """How a client namespace's sidecars talk to the gateway: mutual TLS, and an outer SNI for each chunk."""
    chunks = [chunk for group in groups if namespace in group.namespaces for chunk in group.chunks]
    if not chunks:
        return None
    return KubeObject(
        api_version=_NETWORKING,
        kind="DestinationRule",
        name=GATEWAY,
        namespace=namespace,
        spec={
            "host": at.service,
            "exportTo": ["."],
            "trafficPolicy": {"tls": {"mode": _MUTUAL}},
            "subsets": [
                {"name": chunk.name, "trafficPolicy": {"tls": {"mode": _MUTUAL, "sni": chunk.sni}}} for chunk in chunks
            ],
        },
    )


def virtual_service(at: GatewayAddress, group: ClientGroup, chunk: Chunk) -> KubeObject:
    """A chunk's routes: from the sidecars (`mesh`) to the gateway, and from the gateway to each host."""
    own_gateway = f"{at.namespace}/{group.name}"
    tls = [flow for flow in chunk.flows if flow.is_tls]
    plain = [flow for flow in chunk.flows if not flow.is_tls]
    to_gateway = {"host": at.service, "subset": chunk.name}
    spec: dict[str, Any] = {
        # The chunk's SNI stands among the hosts because istiod gives a lane's server only routes of its host.
        "hosts": [*chunk.hosts, chunk.sni],
        "gateways": ["mesh", own_gateway],
        "exportTo": _export_to(group),
    }
    if plain:
        spec["http"] = [
            *(
                {
                    "match": [{"gateways": ["mesh"], "port": port}],
                    "route": [{"destination": {**to_gateway, "port": {"number": port}}}],
                }
                for port in sorted({flow.port for flow in plain})
            ),
            *(
                {
                    "match": [
                        {"gateways": [own_gateway], "port": flow.port, "authority": {"regex": _authority(flow.host)}}
                    ],
                    "headers": {"request": {"remove": list(INTERNAL_HEADERS)}},
                    "route": [_outside(flow)],
                }
                for flow in plain
            ),
        ]
    if tls:
        spec["tls"] = [
            {
                "match": [{"gateways": ["mesh"], "port": flow.port, "sniHosts": [flow.host]}],
                "route": [{"destination": {**to_gateway, "port": {"number": chunk.lanes[flow]}}}],
            }
            for flow in tls
        ]
        spec["tcp"] = [
            {"match": [{"gateways": [own_gateway], "port": chunk.lanes[flow]}], "route": [_outside(flow)]}
            for flow in tls
        ]
    return _object(at, "VirtualService", chunk.name, spec)


def authorization_policy(at: GatewayAddress, group: ClientGroup, *, enforced: bool) -> KubeObject:
    """Who may use the group's chunks: its service accounts; port by port where a host's ports have other clients.

    In the ordinary case one rule holds for every chunk, present and future, so that the gateway's configuration does
    not grow with chunks times hosts.
    """
    if all(flow.clients == group.clients for flow in group.flows):
        rules = [_rule(at, group.clients, f"*.{group.sni_domain}")]
    else:
        rules = [
            _rule(at, clients, chunk.sni, operation)
            for chunk in group.chunks
            for clients in sorted({flow.clients for flow in chunk.flows}, key=sorted)
            for operation in _operations(chunk, [flow for flow in chunk.flows if flow.clients == clients])
        ]
    return _object(
        at,
        "AuthorizationPolicy",
        group.name,
        {"selector": {"matchLabels": GATEWAY_LABELS}, "action": "ALLOW", "rules": rules},
        api_version=_SECURITY,
        annotations=_judged(enforced=enforced),
    )


def default_deny(at: GatewayAddress, *, enforced: bool) -> KubeObject:
    """Whatever no other policy allows is refused: an ALLOW policy without rules."""
    return _object(
        at, "AuthorizationPolicy", "default-deny", {}, api_version=_SECURITY, annotations=_judged(enforced=enforced)
    )


def _judged(*, enforced: bool) -> dict[str, str]:
    """The annotation by which the proxy judges but refuses nothing (istio.io, "Dry Run"), unless it is `enforced`."""
    return {} if enforced else {"istio.io/dry-run": "true"}


def sidecar(namespace: str, outbound_mode: str) -> KubeObject:
    """A client namespace's sidecars: all in-cluster services as before, and outside only what is exported to it."""
    return KubeObject(
        api_version=_NETWORKING,
        kind="Sidecar",
        name="default",
        namespace=namespace,
        spec={
            "egress": [{"hosts": ["*/*"]}],
            "outboundTrafficPolicy": {"mode": outbound_mode},
        },
    )


def _object(
    at: GatewayAddress,
    kind: str,
    name: str,
    spec: dict[str, Any],
    *,
    api_version: str = _NETWORKING,
    annotations: dict[str, str] | None = None,
) -> KubeObject:
    return KubeObject(
        api_version=api_version,
        kind=kind,
        name=name,
        namespace=at.namespace,
        spec=spec,
        annotations=annotations or {},
    )


def _export_to(group: ClientGroup) -> list[str]:
    return [".", *group.namespaces]


def _server(chunk: Chunk, port: int, protocol: str, hosts: list[str]) -> dict[str, Any]:
    return {
        "port": {"number": port, "name": f"{chunk.name}-{port}", "protocol": protocol},
        "hosts": hosts,
        "tls": {"mode": _MUTUAL},
    }


def _authority(host: str) -> str:
    """A `Host` header that names `host`: in any case, with or without a port (RFC 9110, section 7.2)."""
    return rf"(?i){re.escape(host)}(:[0-9]+)?"


def _outside(flow: Flow) -> dict[str, Any]:
    return {"destination": {"host": flow.host, "port": {"number": flow.port}}}


def _rule(
    at: GatewayAddress, clients: Iterable[ServiceAccount], sni: str, operation: dict[str, Any] | None = None
) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "from": [{"source": {"principals": [at.principal(client) for client in sorted(clients)]}}],
        "when": [{"key": "connection.sni", "values": [sni]}],
    }
    return rule if operation is None else {**rule, "to": [{"operation": operation}]}


def _operations(chunk: Chunk, flows: Sequence[Flow]) -> Iterator[dict[str, Any]]:
    """What exactly these flows are at the gateway: lanes, and HTTP ports with their hosts.

    Each needs a rule of its own: istiod drops a whole rule from TCP listeners if any part of it is about HTTP.
    """
    lanes = sorted(chunk.lanes[flow] for flow in flows if flow.is_tls)
    if lanes:
        yield {"ports": [str(lane) for lane in lanes]}
    for port in sorted({flow.port for flow in flows if not flow.is_tls}):
        hosts = sorted(flow.host for flow in flows if flow.port == port and not flow.is_tls)
        yield {"ports": [str(port)], "hosts": [form for host in hosts for form in (host, f"{host}:*")]}
