"""The way out by ASM's own objects, from which Alibaba's managed mesh makes gateways and routes.

An IstioGateway makes a gateway's Deployment and Service. An ASMEgressTrafficPolicy makes its ServiceEntries, Gateways,
VirtualServices and DestinationRules; between sidecar and gateway it is always mutual TLS. It knows clients by
namespace only, so who may use a host is left to AuthorizationPolicies at the gateway. Every port of every host has a
gateway port of its own, so that port says which host is behind it, and permission needs no names.
Fields: the Go types of both kinds in Alibaba's public client; Alibaba Cloud, "ASMEgressTrafficPolicy CRD description"
and "ASM gateway CRD reference".
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.groups import ClientGroup, client_groups
from components.plan.mesh.address import GatewayAddress, asm_labels, gateway_name
from components.plan.mesh.authorization import Door
from components.plan.mesh.proxy import TELL_NOTHING
from components.plan.names import digest, hash_bits, kube_name
from components.plan.objects import DECLARATION, KubeObject, declaration
from components.plan.placement import avoiding_each_other, node_choice
from components.settings.cloud.nodes import ChosenNodes
from components.settings.destinations import Destination
from components.settings.egress import FurtherGateway
from components.settings.mesh import Asm
from components.settings.reserved import ASM_NAMESPACE, ASM_PORTS

_API: Final = "istio.alibabacloud.com/v1beta1"


class AsmGateway(GatewayAddress):
    """An egress gateway that ASM makes."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its pods that are ours."""
        return asm_labels(self.name)


def port_of(groups: Iterable[ClientGroup], gateway: str | None) -> dict[Flow, int]:
    """A gateway's port for every port of every host, found by its hash; kept when others come, but for collisions."""
    flows = [flow for group in groups if group.gateway == gateway for flow in group.flows]
    found: dict[Flow, int] = {}
    taken: set[int] = set()
    for flow in sorted(flows, key=_hash):
        first = int(_hash(flow), 2)
        port = next(port for step in ASM_PORTS if (port := ASM_PORTS[(first + step) % len(ASM_PORTS)]) not in taken)
        taken.add(port)
        found[flow] = port
    return found


def ports(destinations: Mapping[str, Destination], gateway: str | None) -> list[int]:
    """The ports at which a gateway listens, sorted."""
    return sorted(port_of(client_groups(destinations), gateway).values())


def istio_gateway(
    at: AsmGateway, mesh: Asm, gateway: FurtherGateway, nodes: ChosenNodes, numbers: Iterable[int]
) -> KubeObject:
    """The gateway: its Deployment, and a Service within the cluster.

    Zones are spread by affinity, which asks for it where it can: the kind has no field for spread constraints.
    """
    scale: dict[str, Any] = {"replicaCount": gateway.replicas}
    if gateway.autoscaling is not None:
        scale = {
            "autoscaleEnabled": True,
            "minReplicas": gateway.autoscaling.min_replicas,
            "maxReplicas": gateway.autoscaling.max_replicas,
            "cpu": {"targetAverageUtilization": gateway.autoscaling.cpu_percent},
        }
    on_node = {"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"} if gateway.host_network else {}
    return at.object(
        "IstioGateway",
        gateway_name(at.name),
        {
            "gatewayType": "egress",
            "clusterIds": [mesh.cluster_id],
            "serviceType": "ClusterIP",
            **scale,
            **on_node,
            "podLabels": at.labels,
            "podAnnotations": {"proxy.istio.io/config": json.dumps(TELL_NOTHING, sort_keys=True)},
            **node_choice(nodes if gateway.nodes is None else gateway.nodes),
            "affinity": avoiding_each_other(at.labels),
            "ports": [
                {"name": f"tcp-{port}", "port": port, "targetPort": port, "protocol": "TCP"} for port in sorted(numbers)
            ],
        },
        api_version=_API,
    )


def egress_policy(
    at: AsmGateway,
    groups: Sequence[ClientGroup],
    port_of: Mapping[Flow, int],
    destinations: Mapping[str, Destination],
) -> KubeObject:
    """Everything that leads through a gateway: one object, of its name, as ASM's convention has it."""
    declared = {name for group in groups for flow in group.flows for name in flow.destinations}
    return KubeObject(
        api_version=_API,
        kind="ASMEgressTrafficPolicy",
        name=gateway_name(at.name),
        namespace=ASM_NAMESPACE,
        spec={
            "byEgressGateway": {"name": gateway_name(at.name)},
            "egressRules": [rule for group in groups for rule in _rules(group, port_of)],
        },
        annotations={DECLARATION: declaration({name: destinations[name] for name in declared})},
    )


def doors(group: ClientGroup, port_of: Mapping[Flow, int]) -> list[Door]:
    """The ways into the gateway for a group: a port each, and nothing else to tell them by."""
    return [Door(sni=None, port=port_of[flow], host=None, flow=flow) for flow in group.flows]


def _rules(group: ClientGroup, port_of: Mapping[Flow, int]) -> list[dict[str, Any]]:
    """A rule for each set of namespaces; in the ordinary case they are the group's."""
    by_namespaces: defaultdict[tuple[str, ...], list[Flow]] = defaultdict(list)
    for flow in group.flows:
        by_namespaces[tuple(sorted({client.namespace for client in flow.clients}))].append(flow)
    return [
        {
            "name": group.name if names == group.namespaces else kube_name(group.name, digest(",".join(names), 6)),
            "from": [{"namespace": name} for name in names],
            "to": [_to(flow, port_of[flow]) for flow in sorted(flows)],
        }
        for names, flows in sorted(by_namespaces.items())
    ]


def _to(flow: Flow, port: int) -> dict[str, Any]:
    """One host, because the hosts of an entry would have to stand at the same addresses."""
    tls = flow.spec.tls
    upgrade = {} if tls is None else {"httpsUpgrade": {"enabled": True, "port": flow.spec.port}}
    return {
        "name": kube_name(flow.host, f"{flow.port}"),
        "hosts": [flow.host],
        "port": {"name": f"{flow.protocol.lower()}-{flow.port}", "number": flow.port, "protocol": flow.protocol},
        "byEgressGateway": {"port": port},
        **upgrade,
    }


def _hash(flow: Flow) -> str:
    return hash_bits(f"{flow.host}:{flow.port}")
