"""The way of a request, by Gateway API: sidecar -> egress gateway -> host outside, one function a kind of object.

Between sidecar and gateway it is always ISTIO_MUTUAL, as with Istio's API. The gateway's port tells client groups, and
TLS and TCP hosts, apart; behind a port for HTTP and GRPC a host is known by its `Host` header. istiod reads these
objects (its controller `istio.io/gateway-controller`); docs/adr/0013-gateway-api.md says which parts of them.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.groups import ClientGroup, EntryShard, entry_shards, split
from components.plan.mesh.address import MUTUAL, GatewayAddress, gateway_name
from components.plan.mesh.gateway_ports import GatewayPorts
from components.plan.mesh.http_rules import outside, route_kind, rule
from components.plan.names import digest, kube_name
from components.plan.objects import KubeObject

_API: Final = "gateway.networking.k8s.io/v1"
_CLASS: Final = "istio"
"""The GatewayClass that istiod makes and serves."""
_MOST_LISTENERS: Final = 64
_MOST_PARENTS: Final = 32
"""Listeners of a Gateway, and parents of a route: what their CRDs allow."""


def shards(group: ClientGroup) -> tuple[EntryShard, ...]:
    """The group's ServiceEntries.

    A route of the mesh is for all hosts of its parent, so a host with a route of its own has a ServiceEntry of its own.
    """
    return entry_shards(group, alone=lambda flow: flow.needs_lane or (bool(group.direct) and _is_handled(flow)))


def gateways(at: GatewayAddress, group: ClientGroup, ports: GatewayPorts) -> Iterator[KubeObject]:
    """The group's listeners, on the Service of the gateway's release: a Gateway for every 64 of them.

    With an address of the type Hostname istiod deploys nothing, and gives the listeners to that Service's pods.
    """
    for name, numbers in _gateways(group, ports).items():
        spec = {
            "gatewayClassName": _CLASS,
            "addresses": [{"type": "Hostname", "value": at.service}],
            "listeners": [_listener(port, protocol) for port, protocol in numbers],
        }
        yield at.object("Gateway", name, spec, api_version=_API)


def to_gateway(
    at: GatewayAddress, group: ClientGroup, entries: Sequence[EntryShard], ports: GatewayPorts
) -> Iterator[KubeObject]:
    """From the sidecars to the gateway: one route for each port that clients call, and for each TLS or TCP host."""
    parents: defaultdict[int, list[tuple[str, list[int]]]] = defaultdict(list)
    for shard in entries:
        for flow in shard.flows:
            if flow.needs_lane:
                only_rule = {"backendRefs": [_service(at, ports.of(group, flow))]}
                name, parent = _name(group, flow, "mesh"), _entry(shard.name, flow.port)
                yield _route(
                    at, f"{flow.protocol}Route", name, parent, only_rule, *([flow.host] if flow.is_tls else [])
                )
            else:
                # Also the number by which only proxies know the TLS side: nobody gets around the gateway by it.
                parents[flow.port].append((shard.name, sorted({flow.port, flow.known_as})))
    for port, named in sorted(parents.items()):
        number = ports.shared[group.name, port]
        leaves = split(named, key=lambda each: each[0], fits=_fits_parents)
        for leaf, members in leaves.items():
            spec = {
                "parentRefs": [_entry(name, each) for name, numbers in sorted(members) for each in numbers],
                "rules": [{"backendRefs": [_service(at, number)]}],
            }
            yield at.object("HTTPRoute", kube_name(group.name, f"mesh{port}", leaf), spec, api_version=_API)


def to_outside(
    at: GatewayAddress,
    group: ClientGroup,
    ports: GatewayPorts,
    others: Mapping[str, Flow],
    kept_inside: tuple[str, ...],
) -> Iterator[KubeObject]:
    """From the gateway to each host: one route a port of a host, because a rule's backend is one host."""
    listeners = {port: name for name, numbers in _gateways(group, ports).items() for port, _ in numbers}
    for flow in _here(group):
        port = ports.of(group, flow)
        name, parent = _name(group, flow, "out"), {"name": listeners[port], "sectionName": _section(port)}
        if flow.is_tls:
            yield _route(at, "TCPRoute", name, parent, {"backendRefs": [outside(flow)]})
        else:
            yield _route(at, route_kind(flow), name, parent, rule(flow, others, kept_inside), flow.host)


def direct(
    at: GatewayAddress,
    group: ClientGroup,
    entries: Sequence[EntryShard],
    others: Mapping[str, Flow],
    kept_inside: tuple[str, ...],
) -> Iterator[KubeObject]:
    """For namespaces without a gateway, where sidecars have anything to do with requests but pass them on."""
    for shard in entries:
        for flow in shard.flows:
            if _is_handled(flow):
                name, parent = _name(group, flow, "direct"), _entry(shard.name, flow.port)
                yield _route(at, route_kind(flow), name, parent, rule(flow, others, kept_inside))


def _is_handled(flow: Flow) -> bool:
    return flow.spec.tls is not None or flow.spec.routing is not None


def _gateways(group: ClientGroup, ports: GatewayPorts) -> dict[str, list[tuple[int, str]]]:
    """The group's listeners (port, protocol) by the name of their Gateway, split by port."""
    listeners = {(ports.of(group, flow), "TLS" if flow.needs_lane else "HTTPS") for flow in _here(group)}
    leaves = split(
        sorted(listeners), key=lambda each: f"{each[0]}", fits=lambda members: len(members) <= _MOST_LISTENERS
    )
    return {kube_name(group.name, leaf): members for leaf, members in leaves.items()}


def _here(group: ClientGroup) -> list[Flow]:
    """What Gateway API has listeners for. TCP needs one that names its clients: `istio_api.tcp_gateway`."""
    return [flow for flow in group.flows if flow.protocol != "TCP"]


def _listener(port: int, protocol: str) -> dict[str, Any]:
    return {
        "name": _section(port),
        "port": port,
        "protocol": protocol,
        "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": MUTUAL}},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }


def _section(port: int) -> str:
    return f"port-{port}"


def _service(at: GatewayAddress, port: int) -> dict[str, Any]:
    return {"kind": "Service", "name": gateway_name(at.name), "port": port}


def _entry(name: str, port: int) -> dict[str, Any]:
    """A ServiceEntry as a parent: the route holds for sidecars that see it."""
    return {"group": "networking.istio.io", "kind": "ServiceEntry", "name": name, "port": port}


def _fits_parents(members: Sequence[tuple[str, list[int]]]) -> bool:
    return sum(len(numbers) for _, numbers in members) <= _MOST_PARENTS


def _name(group: ClientGroup, flow: Flow, leg: str) -> str:
    return kube_name(group.name, f"{leg}{flow.port}", digest(flow.host, 8))


def _route(
    at: GatewayAddress, kind: str, name: str, parent: Mapping[str, Any], only_rule: Mapping[str, Any], *hosts: str
) -> KubeObject:
    """A route with one rule; for all hosts of its parent where it names none."""
    spec: dict[str, Any] = {"parentRefs": [dict(parent)], "rules": [dict(only_rule)]}
    if hosts:
        spec["hostnames"] = list(hosts)
    return at.object(kind, name, spec, api_version=_API)
