"""What NetworkPolicies are made of: whom a rule means, by labels where it is a pod and by address where it is not."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.plan.network_needs import Need
from components.plan.objects import KubeObject
from components.settings import Settings
from components.settings.offers.backends import Service
from components.settings.types import ServicePort
from policy.approvals import Approvals
from policy.facts.addresses import special_networks

Rule = dict[str, Any]
"""One rule of a NetworkPolicy, of `ingress` or `egress`."""
NAMESPACE: Final = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its name."""
ANY_POD: Final[Rule] = {"namespaceSelector": {}}
"""Every pod of the cluster, and nothing outside."""
_ANYWHERE: Final = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
_DNS_PORTS: Final = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})
_XDS: Final = 15012
"""Where a mesh's control plane answers proxies (istio.io, "Ports used by Istio")."""


def network_policy(
    name: str,
    namespace: str,
    pods: Mapping[str, str],
    *,
    egress: Iterable[Rule],
    ingress: Iterable[Rule] | None = None,
) -> KubeObject:
    """A NetworkPolicy for the pods with these labels, or for all; without `ingress`, who connects to them is open.

    A direction without rules is closed. It has no list then: the API server drops an empty one, and would find a
    change in it each time that it is applied.
    """
    spec: Rule = {
        "podSelector": {"matchLabels": dict(pods)} if pods else {},
        "policyTypes": ["Egress"] if ingress is None else ["Ingress", "Egress"],
    }
    for direction, rules in (("egress", list(egress)), ("ingress", list(ingress or ()))):
        if rules:
            spec[direction] = rules
    return KubeObject(
        api_version="networking.k8s.io/v1", kind="NetworkPolicy", name=name, namespace=namespace, spec=spec
    )


def tcp(*ports: int) -> list[Rule]:
    """A rule's ports."""
    return [{"protocol": "TCP", "port": port} for port in ports]


def pods(namespace: str, labels: Mapping[str, str]) -> Rule:
    """The pods of a namespace with these labels."""
    return {**pods_of(namespace), "podSelector": {"matchLabels": dict(labels)}}


def pods_of(namespace: str) -> Rule:
    """All pods of a namespace."""
    return {"namespaceSelector": {"matchLabels": {NAMESPACE: namespace}}}


def blocks(addresses: Iterable[str]) -> list[Rule]:
    """Addresses and CIDRs, each as itself."""
    return [{"ipBlock": {"cidr": str(ipaddress.ip_network(address))}} for address in addresses]


def in_cluster(settings: Settings, approvals: Approvals) -> list[Rule]:
    """To every pod of the cluster, DNS on the node, the API server; to nothing outside."""
    return [{"to": [ANY_POD]}, _node_dns(settings), api_server(approvals)]


def api_server(approvals: Approvals) -> Rule:
    """To the API server, which no selector finds."""
    cluster = approvals.cluster
    return {"to": blocks(cluster.api_server_addresses), "ports": tcp(cluster.api_server_port)}


def dns(settings: Settings) -> list[Rule]:
    """To the cluster's DNS, and to that on the node."""
    cluster_dns = {"to": [pods("kube-system", {"k8s-app": "kube-dns"})], "ports": list(_DNS_PORTS)}
    return [cluster_dns, _node_dns(settings)]


def _node_dns(settings: Settings) -> Rule:
    return {"to": blocks([settings.cluster.node_local_dns]), "ports": list(_DNS_PORTS)}


def mesh_control_plane(settings: Settings) -> Rule:
    """To what tells the mesh's proxies their configuration."""
    mesh = settings.egress.mesh.asm
    if mesh is not None:  # outside the cluster, so by its addresses
        return {"to": blocks(mesh.control_plane), "ports": tcp(_XDS)}
    return {"to": [pods(settings.install.istio.namespace, {"app": "istiod"})], "ports": tcp(_XDS)}


def to_service(place: Service | ServicePort) -> Rule:
    """To the pods behind a Service, which a NetworkPolicy sees by their own port."""
    return {"to": [pods_of(place.namespace)], "ports": tcp(place.pod_port or place.port)}


def opened(needs: Iterable[Need], settings: Settings, approvals: Approvals) -> list[Rule]:
    """To what is needed outside, one rule for each set of ports: the addresses needed on exactly these ports."""
    ports_of: defaultdict[str, set[int]] = defaultdict(set)
    for need in needs:
        anywhere = tuple(_ANYWHERE[family] for family in settings.cluster.ip_families)
        for cidr in anywhere if need.cidrs is None else need.cidrs:
            ports_of[cidr] |= need.ports
    cidrs_of: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for cidr, ports in ports_of.items():
        cidrs_of[tuple(sorted(ports))].append(cidr)
    return [
        {"to": [_block(cidr, approvals) for cidr in sorted(cidrs)], "ports": tcp(*ports)}
        for ports, cidrs in sorted(cidrs_of.items())
    ]


def _block(cidr: str, approvals: Approvals) -> Rule:
    """An ipBlock; any public address is everything less what is not public and less the cluster's own ranges."""
    if cidr not in _ANYWHERE.values():
        return {"ipBlock": {"cidr": cidr}}
    own = approvals.cluster
    version = ipaddress.ip_network(cidr).version
    networks = [
        *special_networks(version),
        *map(ipaddress.ip_network, (*own.pod_cidrs, *own.service_cidrs, *own.node_cidrs)),
        *map(ipaddress.ip_network, own.api_server_addresses),
    ]
    if version == 4:  # noqa: PLR2004 - of IP
        excepted = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv4Network))
    else:
        excepted = ipaddress.collapse_addresses(n for n in networks if isinstance(n, ipaddress.IPv6Network))
    return {"ipBlock": {"cidr": cidr, "except": [str(network) for network in excepted]}}
