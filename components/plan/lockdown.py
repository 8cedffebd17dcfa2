"""NetworkPolicies: out of the cluster, clients reach nothing and gateways reach what is declared.

In-cluster traffic is not ours to cut: a client namespace keeps every way to other pods. NetworkPolicy has no deny
and no names, so a host's addresses come from `cidrs`, or are any public address where `publicRanges` approves it.
It does not see pods on their node's network: there the node's security group has to stand in (docs/egress-gateways.md).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from components.plan import network_needs
from components.plan.egress_gateway import client_namespaces, direct_namespaces, gateways_of, open_ports, outbound
from components.plan.groups import ClientGroup
from components.plan.mesh.address import gateway_name, pods_of_gateway
from components.plan.names import digest, kube_name
from components.plan.network_needs import Need
from components.plan.network_rules import (
    ANY_POD,
    NAMESPACE,
    Rule,
    blocks,
    dns,
    in_cluster,
    mesh_control_plane,
    network_policy,
    opened,
    tcp,
    to_service,
)
from components.plan.objects import KubeObject
from components.plan.offers.network import offer_policies
from components.settings import Settings
from components.settings.types import ServicePort
from policy.approvals import Approvals

_NAME: Final = "cluster-egress"
_CONTROL_PLANE: Final = "control-plane"


def client_policies(settings: Settings, approvals: Approvals, groups: Sequence[ClientGroup]) -> tuple[KubeObject, ...]:
    """Policies for each client namespace: pods in the cluster, DNS on the node, the API server; nothing outside.

    Namespaces without a gateway also reach what is declared for them; `allow-any` reaches anything.
    """
    inside = [
        *in_cluster(settings, approvals),
        *([] if settings.egress.mesh.asm is None else [mesh_control_plane(settings)]),
        *_gateways_on_nodes(settings, approvals, groups),
    ]
    policies: list[KubeObject] = []
    for namespace in client_namespaces(settings):
        if outbound(settings, namespace) != "allow-any":
            needs = _direct_needs(settings, namespace)
            own = opened(needs.pop((), ()), settings, approvals)
            policies.append(network_policy(_NAME, namespace, {}, egress=[*inside, *own]))
            policies += [
                network_policy(
                    kube_name(_NAME, digest(repr(labels), 8)),
                    namespace,
                    dict(labels),
                    egress=opened(asked, settings, approvals),
                )
                for labels, asked in sorted(needs.items())
            ]
    return tuple(policies)


def gateway_policies(settings: Settings, approvals: Approvals, groups: Sequence[ClientGroup]) -> tuple[KubeObject, ...]:
    """Policies for the gateways and their control planes; of these only gateways, and fetchers of keys, get outside."""
    gateways = [
        _egress_gateway(settings, approvals, name, open_ports(settings, groups, name))
        for name, gateway in gateways_of(settings).items()
        if not gateway.host_network
    ]
    offers = () if settings.backends is None else tuple(offer_policies(settings, approvals))
    return (*gateways, *offers, *_mesh_control_plane(settings, approvals))


def _mesh_control_plane(settings: Settings, approvals: Approvals) -> Iterator[KubeObject]:
    if settings.egress.mesh.asm is None:  # else it is not in the cluster, and istio-system is not ours alone
        keys = opened(network_needs.of_issuers(settings).values(), settings, approvals)
        inside = in_cluster(settings, approvals)
        yield network_policy(_CONTROL_PLANE, settings.install.istio.namespace, {}, egress=[*inside, *keys])


def _direct_needs(settings: Settings, namespace: str) -> dict[tuple[tuple[str, str], ...], list[Need]]:
    """What pods of a namespace without a gateway reach themselves, by their labels; none are all pods."""
    needs: defaultdict[tuple[tuple[str, str], ...], list[Need]] = defaultdict(list)
    if namespace in direct_namespaces(settings):
        for destination in settings.destinations.values():
            client = destination.clients.get(namespace)
            if client is not None:
                needs[tuple(sorted((client.labels or {}).items()))].append(network_needs.of_destination(destination))
    return dict(needs)


def _egress_gateway(
    settings: Settings, approvals: Approvals, name: str | None, clients_call: Sequence[tuple[str, int]]
) -> KubeObject:
    namespace, labels = pods_of_gateway(settings, name)
    needs = [
        network_needs.of_destination(destination)
        for destination in settings.destinations.values()
        if destination.gateway == name
    ]
    return network_policy(
        gateway_name(name),
        namespace,
        labels,
        ingress=[
            {
                "from": [
                    {
                        "namespaceSelector": {
                            "matchExpressions": [
                                {"key": NAMESPACE, "operator": "In", "values": client_namespaces(settings)}
                            ]
                        }
                    }
                ],
                "ports": tcp(*(port for _, port in clients_call)),
            },
            # Health: kubelet, and a cloud's load balancer.
            {"ports": tcp(15021)},
            # Metrics: Prometheus, wherever in the cluster it runs.
            {"from": [ANY_POD], "ports": tcp(15020, 15090)},
        ],
        egress=[
            *dns(settings),
            mesh_control_plane(settings),
            *_helpers(settings),
            *opened(needs, settings, approvals),
        ],
    )


def _helpers(settings: Settings) -> Iterator[Rule]:
    """What gateways ask in the cluster: external authorizers, and the collector of traces."""
    mesh = settings.egress.mesh
    asked: list[ServicePort] = [each for _, each in sorted((mesh.authorizers or {}).items())]
    asked += [] if mesh.tracing is None else [mesh.tracing]
    for each in asked:
        yield to_service(each)


def _gateways_on_nodes(settings: Settings, approvals: Approvals, groups: Sequence[ClientGroup]) -> Iterator[Rule]:
    """Gateways that have their node's address, which no selector finds."""
    for name, gateway in gateways_of(settings).items():
        if gateway.host_network:
            yield {
                "to": blocks(approvals.cluster.node_cidrs),
                "ports": tcp(*(port for _, port in open_ports(settings, groups, name))),
            }
