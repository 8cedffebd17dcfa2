"""NetworkPolicies: out of the cluster, clients reach nothing and gateways reach what is declared.

In-cluster traffic is not ours to cut: a client namespace keeps every way to other pods. NetworkPolicy has no deny
and no names, so a host's addresses come from `cidrs`, or are any public address where `publicRanges` approves it.
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.plan.egress_gateway import client_namespaces, plain_ports
from components.plan.envoy_gateway import CLASS, proxy_labels
from components.plan.objects import KubeObject
from components.plan.routes import GATEWAY, GATEWAY_LABELS
from components.settings import Settings
from components.settings.reserved import LANES
from policy.approvals import Approvals
from policy.facts.addresses import special_networks

ANY_IPV4: Final = "0.0.0.0/0"
_NAME: Final = "cluster-egress"
_CONTROL_PLANE: Final = "control-plane"
_CONTROLLER_LABELS: Final = {"control-plane": "envoy-gateway"}
"""The labels of Envoy Gateway's controller (its chart)."""
_NAMESPACE: Final = "kubernetes.io/metadata.name"


def client_policies(settings: Settings, approvals: Approvals) -> tuple[KubeObject, ...]:
    """A policy for each client namespace: pods in the cluster, DNS on the node, the API server; nothing outside."""
    inside = _in_cluster(settings, approvals)
    return tuple(_policy(_NAME, namespace, {}, egress=inside) for namespace in client_namespaces(settings))


def gateway_policies(settings: Settings, approvals: Approvals) -> tuple[KubeObject, ...]:
    """Policies for both gateways and their control planes; of these only the gateways reach anything outside."""
    inside = _in_cluster(settings, approvals)
    gateways = [_egress_gateway(settings, approvals)]
    control_planes = [_policy(_CONTROL_PLANE, settings.install.istio.namespace, {}, egress=inside)]
    if settings.backends is not None:
        namespace = settings.install.envoy_gateway.namespace
        gateways.append(_envoy_proxies(settings, approvals))
        control_planes.append(_policy(_CONTROL_PLANE, namespace, _CONTROLLER_LABELS, egress=inside))
    return (*gateways, *control_planes)


def destination_ports(settings: Settings) -> dict[str, tuple[tuple[str, ...] | None, frozenset[int]]]:
    """What each destination needs of the network: name -> (CIDRs, or None for any public address; ports)."""
    return {
        name: (destination.cidrs, frozenset(port.port for port in destination.ports.values()))
        for name, destination in settings.destinations.items()
    }


def backend_ports(settings: Settings) -> dict[str, tuple[tuple[str, ...] | None, frozenset[int]]]:
    """What each backend needs of the network: name -> (CIDRs, or None for any public address; ports)."""
    needs: dict[str, tuple[tuple[str, ...] | None, frozenset[int]]] = {}
    for name, backend in (settings.backends or {}).items():
        addresses = tuple(_single(endpoint.ip) for endpoint in backend.endpoints if endpoint.ip is not None)
        needs[name] = (addresses or backend.cidrs, frozenset(endpoint.port for endpoint in backend.endpoints))
    return needs


def _egress_gateway(settings: Settings, approvals: Approvals) -> KubeObject:
    istiod = {
        "to": [_pods(settings.install.istio.namespace, {"app": "istiod"})],
        "ports": [_tcp(15012)],
    }
    return _policy(
        GATEWAY,
        settings.egress.mesh.gateway.namespace,
        GATEWAY_LABELS,
        ingress=[
            {
                "from": [
                    {
                        "namespaceSelector": {
                            "matchExpressions": [
                                {"key": _NAMESPACE, "operator": "In", "values": client_namespaces(settings)}
                            ]
                        }
                    }
                ],
                "ports": [_tcp(port) for port in (*plain_ports(settings), *LANES)],
            },
            # Health: kubelet, and a cloud's load balancer.
            {"ports": [_tcp(15021)]},
            # Metrics: Prometheus, wherever in the cluster it runs.
            {"from": [{"namespaceSelector": {}}], "ports": [_tcp(15020), _tcp(15090)]},
        ],
        egress=[*_dns(settings), istiod, *_outside(destination_ports(settings), approvals)],
    )


def _envoy_proxies(settings: Settings, approvals: Approvals) -> KubeObject:
    namespace = settings.install.envoy_gateway.namespace
    controller = {"to": [_pods(namespace, _CONTROLLER_LABELS)], "ports": [_tcp(18000)]}
    return _policy(
        CLASS,
        namespace,
        proxy_labels(namespace),
        egress=[*_dns(settings), controller, *_outside(backend_ports(settings), approvals)],
    )


def _outside(
    needs: Mapping[str, tuple[tuple[str, ...] | None, frozenset[int]]], approvals: Approvals
) -> list[dict[str, Any]]:
    """One rule for each set of ports: the addresses that are needed on exactly these ports."""
    ports_of: defaultdict[str, set[int]] = defaultdict(set)
    for cidrs, ports in needs.values():
        for cidr in (ANY_IPV4,) if cidrs is None else cidrs:
            ports_of[cidr] |= ports
    blocks: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for cidr, ports in ports_of.items():
        blocks[tuple(sorted(ports))].append(cidr)
    return [
        {"to": [_block(cidr, approvals) for cidr in sorted(cidrs)], "ports": [_tcp(port) for port in ports]}
        for ports, cidrs in sorted(blocks.items())
    ]


def _block(cidr: str, approvals: Approvals) -> dict[str, Any]:
    """An ipBlock; any public address is everything less what is not public and less the cluster's own ranges."""
    if cidr != ANY_IPV4:
        return {"ipBlock": {"cidr": cidr}}
    own = approvals.cluster
    networks = [
        *special_networks(4),
        *map(ipaddress.ip_network, (*own.pod_cidrs, *own.service_cidrs, *own.node_cidrs)),
        *map(ipaddress.ip_network, own.api_server_addresses),
    ]
    excepted = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv4Network))
    return {"ipBlock": {"cidr": cidr, "except": [str(network) for network in excepted]}}


def _in_cluster(settings: Settings, approvals: Approvals) -> list[dict[str, Any]]:
    """Every pod of the cluster, DNS on the node, the API server; nothing outside."""
    cluster = approvals.cluster
    api_server = {
        "to": [{"ipBlock": {"cidr": _single(address)}} for address in cluster.api_server_addresses],
        "ports": [_tcp(cluster.api_server_port)],
    }
    return [{"to": [{"namespaceSelector": {}}]}, _node_dns(settings), api_server]


def _dns(settings: Settings) -> list[dict[str, Any]]:
    cluster_dns = {"to": [_pods("kube-system", {"k8s-app": "kube-dns"})], "ports": _DNS_PORTS}
    return [cluster_dns, _node_dns(settings)]


def _node_dns(settings: Settings) -> dict[str, Any]:
    return {"to": [{"ipBlock": {"cidr": _single(settings.cluster.node_local_dns)}}], "ports": _DNS_PORTS}


_DNS_PORTS: Final = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}


def _single(address: str) -> str:
    return str(ipaddress.ip_network(address))


def _pods(namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "namespaceSelector": {"matchLabels": {_NAMESPACE: namespace}},
        "podSelector": {"matchLabels": dict(labels)},
    }


def _policy(
    name: str,
    namespace: str,
    pods: Mapping[str, str],
    *,
    egress: Iterable[dict[str, Any]],
    ingress: list[dict[str, Any]] | None = None,
) -> KubeObject:
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": dict(pods)} if pods else {},
        "policyTypes": ["Egress"] if ingress is None else ["Ingress", "Egress"],
        "egress": list(egress),
    }
    if ingress is not None:
        spec["ingress"] = ingress
    return KubeObject(
        api_version="networking.k8s.io/v1", kind="NetworkPolicy", name=name, namespace=namespace, spec=spec
    )
