"""What the applied NetworkPolicies open, as an evaluator that others wrote reads them, against the declaration."""

import ipaddress
from collections.abc import Iterator
from itertools import product
from typing import Final

import pytest

from components.settings import Settings
from components.settings.reserved import LANES
from tests.cluster.bed import addresses
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.evaluator import Connection, End, allowed

GATEWAY: Final = ("istio-egress", "egress-gateway")
PROXY: Final = ("envoy-gateway-system", "proxy")
ISTIOD: Final = ("istio-system", "istiod")
CONTROLLER: Final = ("envoy-gateway-system", "controller")
DNS: Final = ("kube-system", "dns")
NODE_LOCAL_DNS: Final = "169.254.20.10"

PODS: Final = {
    ("news", "reader"): "app=reader",
    ("news", "other"): "app=other",
    ("shop", "storefront"): "app=storefront",
    ("monitoring", "probe"): "app=probe",
    ("elsewhere", "reader"): "app=reader",
    DNS: "k8s-app=kube-dns",
    GATEWAY: "app=egress-gateway",
    PROXY: "gateway.envoyproxy.io/owning-gateway-name=cluster-egress",
    ISTIOD: "app=istiod",
    CONTROLLER: "control-plane=envoy-gateway",
}
PLACES: Final = {
    "a declared host": "151.101.1.67",
    "another public address": "54.1.2.3",
    "n9e, one": "172.139.20.181",
    "n9e, two": "172.139.20.183",
    "beside n9e": "172.139.20.182",
    "a private address": "172.16.0.9",
    "metadata of other clouds": "169.254.169.254",
    "metadata of Alibaba Cloud": "100.100.100.200",
    "node-local DNS": NODE_LOCAL_DNS,
    "the API server": addresses.API_SERVER,
    "a node": addresses.node_address(0),
    "a documentation address": "203.0.113.10",
    "a Service": addresses.API_SERVICE,
}
PORTS: Final = (
    53,
    80,
    443,
    5432,
    6443,
    8080,
    9443,
    10080,
    15012,
    15020,
    15021,
    15090,
    17000,
    18000,
    18001,
    19001,
    19003,
    *LANES,
    LANES.stop,
)

Pod = tuple[str, str]


@pytest.mark.proves(
    "network",
    "NetworkPolicies open exactly what the declaration says, in-cluster default included",
    kinds=("NetworkPolicy.networking.k8s.io",),
)
def test_policies_open_what_is_declared_and_nothing_else(cluster: Cluster) -> None:
    """Guards against a selector, a port or a block that Kubernetes reads differently from the planner."""
    ends = {**_pods(cluster), **{name: End(address=address) for name, address in PLACES.items()}}
    asked = [
        (source, target, port, protocol)
        for source, target, port, protocol in product(ends, ends, PORTS, ("TCP", "UDP"))
        if source != target and (protocol == "TCP" or port in {53, 443}) and {source, target} & set(PODS)
    ]
    connections = [
        Connection(source=ends[source], target=ends[target], port=port, protocol=protocol)
        for source, target, port, protocol in asked
    ]
    policies = cluster.kubectl.list("networkpolicies")
    verdicts = allowed(connections, policies, cluster.folder / "evaluator")
    opened = {question for question, verdict in zip(asked, verdicts, strict=True) if verdict}
    expected = {question for question in asked if _declared(cluster.settings, *question)}
    assert sorted(map(str, opened - expected)) == [], "open, and not declared"
    assert sorted(map(str, expected - opened)) == [], "declared, and not open"
    assert expected
    assert len(expected) < len(asked)


def _pods(cluster: Cluster) -> dict[Pod, End]:
    """The real pods, with the labels that they really have."""
    namespaces = {each["metadata"]["name"]: each["metadata"]["labels"] for each in cluster.kubectl.list("namespaces")}
    found: dict[Pod, End] = {}
    for (namespace, name), selector in PODS.items():
        pod = cluster.kubectl.list("pods", namespace, selector=selector)[0]
        found[namespace, name] = End(
            address=pod["status"]["podIP"],
            namespace=namespace,
            namespace_labels=namespaces[namespace],
            labels=pod["metadata"]["labels"],
        )
    return found


def _declared(settings: Settings, source: Pod | str, target: Pod | str, port: int, protocol: str) -> bool:
    """The declaration, projected onto what a NetworkPolicy sees: pods, addresses and ports."""
    if isinstance(source, str):
        return isinstance(target, tuple) and _enters_from_outside(target, port, protocol)
    if isinstance(target, tuple):
        return _leaves_for_a_pod(source, target, port, protocol) and _enters(settings, source, target, port, protocol)
    return _leaves_for_an_address(settings, source, PLACES[target], port, protocol)


def _enters_from_outside(target: Pod, port: int, protocol: str) -> bool:
    """From outside the cluster, and from nodes: whoever checks whether the gateway is well, and the API server."""
    at_all: dict[Pod, set[int]] = {GATEWAY: {15021}, PROXY: set(), CONTROLLER: {9443}}
    return target not in at_all or (port in at_all[target] and protocol == "TCP")


def _governed(settings: Settings) -> set[str]:
    return {name for name, namespace in settings.cluster.namespaces.items() if namespace.role == "client"}


def _leaves_for_a_pod(source: Pod, target: Pod, port: int, protocol: str) -> bool:
    """Gateways reach DNS and their own control plane, whose controller only DNS; everybody else reaches every pod."""
    own: dict[Pod, tuple[Pod, int] | None] = {
        GATEWAY: (ISTIOD, 15012),
        PROXY: (CONTROLLER, 18000),
        CONTROLLER: None,
    }
    if source in own:
        return (target == DNS and port == 53) or ((target, port) == own[source] and protocol == "TCP")
    return True


def _enters(settings: Settings, source: Pod, target: Pod, port: int, protocol: str) -> bool:
    """Clients reach the gateway's declared ports, everybody where proxies offer, health, and metrics."""
    if target not in {GATEWAY, PROXY, CONTROLLER}:
        return True
    if protocol != "TCP":
        return False
    if target == PROXY:
        return port in {10080, 19001}
    if target == CONTROLLER:
        return port in {9443, 19001} or (port == 18000 and source == PROXY)
    plain = {
        each.port for entry in settings.destinations.values() for each in entry.ports.values() if each.protocol != "TLS"
    }
    for_clients = source[0] in _governed(settings) and port in {*plain, *LANES}
    return for_clients or port in {15020, 15021, 15090}


def _leaves_for_an_address(settings: Settings, source: Pod, address: str, port: int, protocol: str) -> bool:
    if source == DNS or source[0] in {"monitoring", "elsewhere"}:
        return True  # not governed: nobody declared them as clients
    if address == NODE_LOCAL_DNS:
        return port == 53
    if protocol != "TCP":
        return False
    if source == GATEWAY:
        ports = {each.port for entry in settings.destinations.values() for each in entry.ports.values()}
        return _public(address) and port in ports
    if source == PROXY:
        return (address, port) in set(_endpoints(settings)) or (_public(address) and port in set(_named(settings)))
    return (address, port) == (addresses.API_SERVER, addresses.API_PORT)


def _public(address: str) -> bool:
    """The stack's hosts are known by name, and approved to be at any public address."""
    return ipaddress.ip_address(address).is_global


def _endpoints(settings: Settings) -> Iterator[tuple[str, int]]:
    for backend in (settings.backends or {}).values():
        endpoints = backend.endpoints or ()
        yield from ((str(endpoint.ip), endpoint.port) for endpoint in endpoints if endpoint.ip is not None)


def _named(settings: Settings) -> Iterator[int]:
    for backend in (settings.backends or {}).values():
        yield from (endpoint.port for endpoint in backend.endpoints or () if endpoint.fqdn is not None)
