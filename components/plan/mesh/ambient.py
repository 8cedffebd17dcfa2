"""The way out without sidecars: ztunnel takes a client's traffic to a waypoint, which is the egress gateway.

A host is known by the address that istiod gives it, and ztunnel's DNS answers with; so no route leads to the waypoint,
and no outer SNI tells hosts apart. Every host outside has filters of its own at the waypoint, with the policies that
target its ServiceEntry. Neither ztunnel nor a waypoint minds a ServiceEntry's `exportTo`: who may use a host is the
matter of its AuthorizationPolicy alone. Sources: istio/istio, pilot/pkg/networking/core/listener_waypoint.go,
pilot/pkg/model/policyattachment.go, pilot/pkg/serviceregistry/ambient.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.groups import ClientGroup, EntryShard, entry_shards, split
from components.plan.mesh import authorization
from components.plan.mesh.address import GATEWAY_API, NETWORKING, SECURITY, GatewayAddress, gateway_name
from components.plan.mesh.entries import service_entries
from components.plan.mesh.istio_api import from_gateway
from components.plan.mesh.node_network import DeployedGateway, overlays, parameters
from components.plan.names import digest, kube_name
from components.plan.objects import KubeObject
from components.settings.destinations import Destination

WAYPOINT: Final = "istio.io/use-waypoint"
"""The label of a ServiceEntry that names its waypoint, in the same namespace."""
HBONE_PORT: Final = 15008
"""Where a waypoint takes tunnels from ztunnel: mutual TLS with the client's certificate (istio.io, "Ports")."""
_MOST_TARGETS: Final = 16
"""Objects that a policy may target (its CRD)."""
_MESH: Final = "mesh"


def waypoint(at: GatewayAddress, values: Mapping[str, Any]) -> DeployedGateway:
    """The egress gateway as a waypoint, which istiod deploys.

    Args:
        at: the gateway.
        values: its pods, as for the chart of the other gateways.
    """
    return DeployedGateway(
        parameters=parameters(at, overlays(values, pod={}, strategy=values["strategy"])),
        gateway=at.object(
            "Gateway",
            gateway_name(at.name),
            {
                "gatewayClassName": "istio-waypoint",
                "infrastructure": {
                    "labels": dict(values["labels"]),
                    "annotations": dict(values["podAnnotations"]),
                    "parametersRef": {"group": "", "kind": "ConfigMap", "name": parameters(at, {}).name},
                },
                "listeners": [
                    {
                        "name": _MESH,
                        "port": HBONE_PORT,
                        "protocol": "HBONE",
                        "allowedRoutes": {"namespaces": {"from": "Same"}},
                    }
                ],
            },
            api_version=f"{GATEWAY_API}/v1",
        ),
    )


def deny_at(at: GatewayAddress, *, enforced: bool) -> KubeObject:
    """Whatever no other policy allows is refused at the waypoint, whichever host it is for."""
    target = {"group": GATEWAY_API, "kind": "Gateway", "name": gateway_name(at.name)}
    name = "default-deny" if at.name is None else kube_name("default-deny", at.name)
    return _policy(at, name, {"targetRefs": [target]}, enforced=enforced)


def shards(group: ClientGroup) -> tuple[EntryShard, ...]:
    """The group's ServiceEntries. A policy targets a whole one, so a host with conditions of its own has its own."""
    return entry_shards(group, alone=lambda flow: not _is_ordinary(group, flow))


def allow(at: GatewayAddress, group: ClientGroup, *, enforced: bool) -> Iterator[KubeObject]:
    """Who may use the group's hosts, on which ports, with which requests.

    Ports are named because a ServiceEntry also has those by which only proxies know a host. In TLS that is passed
    through, client and port are all that a waypoint judges: it does not read the SNI.
    """
    ordinary = [shard for shard in shards(group) if _shares_policy(group, shard)]
    for leaf, same in split(ordinary, key=lambda shard: shard.name, fits=_fits_policy).items():
        ports = sorted({flow.port for shard in same for flow in shard.flows})
        rule = authorization.rule(at, group.clients, None, operation={"ports": [f"{port}" for port in ports]})
        yield _allow(at, kube_name(group.name, f"hosts-{leaf}"), same, [rule], enforced=enforced)
    for shard in shards(group):
        if not _shares_policy(group, shard):
            rules = [
                authorization.rule(
                    at,
                    flow.clients,
                    None,
                    operation={"ports": [f"{flow.port}"], **authorization.requests_of(flow.spec.allow)},
                )
                for flow in shard.flows
            ]
            yield _allow(at, _of_host(group, shard.hosts[0]), [shard], rules, enforced=enforced)


def routes(
    at: GatewayAddress, group: ClientGroup, others: Mapping[str, Flow], kept_inside: tuple[str, ...], *, enforced: bool
) -> Iterator[KubeObject]:
    """A host's requests, from the waypoint to the host: a VirtualService each.

    A waypoint gives the routes of a VirtualService to every host in it, and takes any `Host`. With two hosts in one,
    whoever may use the first would reach the second by its name, judged by the first one's policy.
    """
    for host in sorted({flow.host for flow in group.flows if not flow.needs_lane}):
        yield at.object(
            "VirtualService",
            _of_host(group, host),
            {
                "hosts": [host],
                "gateways": [_MESH],
                "exportTo": ["."],
                "http": [
                    route
                    for flow in group.flows
                    if flow.host == host and not flow.needs_lane
                    for route in from_gateway(flow, _MESH, others, kept_inside, enforced=enforced)
                ],
            },
        )


def entries(at: GatewayAddress, group: ClientGroup, destinations: Mapping[str, Destination]) -> Iterator[KubeObject]:
    """The group's hosts, each led through the waypoint."""
    for entry in service_entries(at, group, shards(group), destinations):
        yield replace(entry, labels={WAYPOINT: gateway_name(at.name)})


def _is_ordinary(group: ClientGroup, flow: Flow) -> bool:
    return flow.is_plain and flow.clients == group.clients


def _shares_policy(group: ClientGroup, shard: EntryShard) -> bool:
    return all(_is_ordinary(group, flow) for flow in shard.flows)


def _fits_policy(some: Sequence[EntryShard]) -> bool:
    return len(some) <= _MOST_TARGETS


def _of_host(group: ClientGroup, host: str) -> str:
    return kube_name(group.name, "to", digest(host, 8))


def _allow(
    at: GatewayAddress, name: str, targets: Sequence[EntryShard], rules: list[dict[str, Any]], *, enforced: bool
) -> KubeObject:
    group, _ = NETWORKING.split("/")
    refs = [{"group": group, "kind": "ServiceEntry", "name": shard.name} for shard in targets]
    return _policy(at, name, {"targetRefs": refs, "action": "ALLOW", "rules": rules}, enforced=enforced)


def _policy(at: GatewayAddress, name: str, spec: dict[str, Any], *, enforced: bool) -> KubeObject:
    return at.object(
        "AuthorizationPolicy",
        name,
        spec,
        api_version=SECURITY,
        annotations=authorization.judged(enforced=enforced),
    )
