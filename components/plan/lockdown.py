"""NetworkPolicies: out of the cluster, clients reach nothing and gateways reach what is declared.

In-cluster traffic is not ours to cut: a client namespace keeps every way to other pods. NetworkPolicy has no deny
and no names, so a host's addresses come from `cidrs`, or are any public address where `publicRanges` approves it.
It does not see pods on their node's network: there the node's security group has to stand in (docs/egress-gateways.md).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from components.plan import network_needs
from components.plan.egress_gateway import client_namespaces, direct_namespaces, gateways_of, open_ports, outbound
from components.plan.groups import ClientGroup
from components.plan.mesh.address import gateway_name, pods_of_gateway
from components.plan.names import digest, kube_name
from components.plan.network_needs import Need, opened, single, tcp
from components.plan.objects import KubeObject
from components.plan.offers.listeners import gateway_name as backend_gateway_name
from components.plan.offers.listeners import gateway_of
from components.plan.offers.listeners import gateways_of as backend_gateways_of
from components.plan.offers.proxies import proxy_labels
from components.settings import Settings
from components.settings.mesh import Authorizer, Tracing
from policy.approvals import Approvals

_NAME: Final = "cluster-egress"
_CONTROL_PLANE: Final = "control-plane"
_CONTROLLER_LABELS: Final = {"control-plane": "envoy-gateway"}
"""The labels of Envoy Gateway's controller (its chart)."""
_NAMESPACE: Final = "kubernetes.io/metadata.name"
_XDS: Final = 15012
"""Where a control plane answers proxies (istio.io, "Ports used by Istio")."""


def client_policies(settings: Settings, approvals: Approvals, groups: Sequence[ClientGroup]) -> tuple[KubeObject, ...]:
    """Policies for each client namespace: pods in the cluster, DNS on the node, the API server; nothing outside.

    Namespaces without a gateway also reach what is declared for them; `allow-any` reaches anything.
    """
    inside = [
        *_in_cluster(settings, approvals),
        *_managed_control_plane(settings),
        *_gateways_on_nodes(settings, approvals, groups),
    ]
    policies: list[KubeObject] = []
    for namespace in client_namespaces(settings):
        if outbound(settings, namespace) != "allow-any":
            needs = _direct_needs(settings, namespace)
            own = opened(needs.pop((), ()), settings, approvals)
            policies.append(_policy(_NAME, namespace, {}, egress=[*inside, *own]))
            policies += [
                _policy(
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
    inside = _in_cluster(settings, approvals)
    gateways = [
        _egress_gateway(settings, approvals, name, open_ports(settings, groups, name))
        for name, gateway in gateways_of(settings).items()
        if not gateway.host_network
    ]
    keys = opened(network_needs.of_issuers(settings).values(), settings, approvals)
    control_planes = (
        [_policy(_CONTROL_PLANE, settings.install.istio.namespace, {}, egress=[*inside, *keys])]
        if settings.egress.mesh.asm is None
        else []  # it is not in the cluster, and istio-system is not ours alone
    )
    if settings.backends is not None:
        namespace = settings.install.envoy_gateway.namespace
        gateways += [_envoy_proxies(settings, approvals, name) for name in sorted(backend_gateways_of(settings))]
        control_planes.append(_policy(_CONTROL_PLANE, namespace, _CONTROLLER_LABELS, egress=inside))
    return (*gateways, *control_planes)


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
    istiod = {
        "to": [_pods(settings.install.istio.namespace, {"app": "istiod"})],
        "ports": [tcp(_XDS)],
    }
    control_plane = [istiod] if settings.egress.mesh.asm is None else _managed_control_plane(settings)
    namespace, labels = pods_of_gateway(settings, name)
    needs = [
        network_needs.of_destination(destination)
        for destination in settings.destinations.values()
        if destination.gateway == name
    ]
    return _policy(
        gateway_name(name),
        namespace,
        labels,
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
                "ports": [tcp(port) for _, port in clients_call],
            },
            # Health: kubelet, and a cloud's load balancer.
            {"ports": [tcp(15021)]},
            # Metrics: Prometheus, wherever in the cluster it runs.
            {"from": [{"namespaceSelector": {}}], "ports": [tcp(15020), tcp(15090)]},
        ],
        egress=[*_dns(settings), *control_plane, *_helpers(settings), *opened(needs, settings, approvals)],
    )


def _managed_control_plane(settings: Settings) -> list[dict[str, Any]]:
    """Where proxies find the control plane of a managed mesh: outside the cluster, so by its addresses."""
    mesh = settings.egress.mesh.asm
    if mesh is None:
        return []
    return [{"to": [{"ipBlock": {"cidr": single(address)}} for address in mesh.control_plane], "ports": [tcp(_XDS)]}]


def _helpers(settings: Settings) -> Iterator[dict[str, Any]]:
    """What gateways ask in the cluster: external authorizers, and the collector of traces."""
    mesh = settings.egress.mesh
    asked: list[Authorizer | Tracing] = [each for _, each in sorted((mesh.authorizers or {}).items())]
    asked += [] if mesh.tracing is None else [mesh.tracing]
    for each in asked:
        yield {
            "to": [{"namespaceSelector": {"matchLabels": {_NAMESPACE: each.namespace}}}],
            "ports": [tcp(each.port if each.pod_port is None else each.pod_port)],
        }


def _gateways_on_nodes(
    settings: Settings, approvals: Approvals, groups: Sequence[ClientGroup]
) -> Iterator[dict[str, Any]]:
    """Gateways that have their node's address, which no selector finds."""
    for name, gateway in gateways_of(settings).items():
        if gateway.host_network:
            yield {
                "to": [{"ipBlock": {"cidr": cidr}} for cidr in approvals.cluster.node_cidrs],
                "ports": [tcp(port) for _, port in open_ports(settings, groups, name)],
            }


def _envoy_proxies(settings: Settings, approvals: Approvals, gateway: str) -> KubeObject:
    namespace = settings.install.envoy_gateway.namespace
    controller = {"to": [_pods(namespace, _CONTROLLER_LABELS)], "ports": [tcp(18000)]}
    needs = network_needs.of_backends(settings)
    offered = [needs[name] for name, each in (settings.backends or {}).items() if gateway_of(each) == gateway]
    return _policy(
        backend_gateway_name(gateway),
        namespace,
        proxy_labels(settings, gateway),
        egress=[*_dns(settings), controller, *opened(offered, settings, approvals)],
    )


def _in_cluster(settings: Settings, approvals: Approvals) -> list[dict[str, Any]]:
    """Every pod of the cluster, DNS on the node, the API server; nothing outside."""
    cluster = approvals.cluster
    api_server = {
        "to": [{"ipBlock": {"cidr": single(address)}} for address in cluster.api_server_addresses],
        "ports": [tcp(cluster.api_server_port)],
    }
    return [{"to": [{"namespaceSelector": {}}]}, _node_dns(settings), api_server]


def _dns(settings: Settings) -> list[dict[str, Any]]:
    cluster_dns = {"to": [_pods("kube-system", {"k8s-app": "kube-dns"})], "ports": _DNS_PORTS}
    return [cluster_dns, _node_dns(settings)]


def _node_dns(settings: Settings) -> dict[str, Any]:
    return {"to": [{"ipBlock": {"cidr": single(settings.cluster.node_local_dns)}}], "ports": _DNS_PORTS}


_DNS_PORTS: Final = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


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
