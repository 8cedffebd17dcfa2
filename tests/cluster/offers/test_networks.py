"""What the NetworkPolicies of Gateways, controller and counter open, as an evaluator that others wrote reads them.

What should be open is written down here by hand, from the stack's declaration: who is asked by whom, on which port.
"""

from collections.abc import Mapping
from itertools import product
from typing import Final

import pytest

from tests.cluster.bed import addresses
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.evaluator import Connection, End, allowed
from tests.cluster.offers.asking import APART, DEFAULT, EDGE
from tests.cluster.offers.declared import NAMESPACE

_OWNER: Final = "gateway.envoyproxy.io/owning-gateway-name"
_PODS: Final = {
    "default": (NAMESPACE, f"{_OWNER}={DEFAULT}"),
    "edge": (NAMESPACE, f"{_OWNER}={EDGE}"),
    "apart": (NAMESPACE, f"{_OWNER}={APART}"),
    "controller": (NAMESPACE, "control-plane=envoy-gateway"),
    "counter": (NAMESPACE, "app.kubernetes.io/component=ratelimit"),
    "probe": ("monitoring", "app=probe"),
    "authorizer": ("monitoring", "app=judge"),
    "redis": ("monitoring", "app=redis"),
    "reader": ("news", "app=reader"),
    "service": ("shop", "app=judge"),
    "istiod": ("istio-system", "app=istiod"),
    "dns": ("kube-system", "k8s-app=kube-dns"),
}
_OURS: Final = ("default", "edge", "apart", "controller", "counter")
_PROXIES: Final = ("default", "edge", "apart")
_PLACES: Final = {
    "vm1": "172.139.21.11",
    "vm2": "172.139.21.12",
    "standby": "10.50.0.13",
    "beside standby": "10.50.0.14",
    "old": "172.139.21.14",
    "private": "172.139.21.16",
    "mutual": "54.1.3.4",
    "resolved": "54.1.2.4",
    "keys": "54.1.2.6",
    "login": "54.1.2.7",
    "n9e": "172.139.20.181",
    "another public address": "54.1.2.3",
    "metadata": "100.100.100.200",
    "node-local DNS": "169.254.20.10",
    "the API server": addresses.API_SERVER,
    "a declared caller": "198.51.100.7",
    "another caller": "203.0.113.7",
    "a load balancer": "100.64.0.9",
}
_PUBLIC: Final = tuple(name for name, address in _PLACES.items() if address.startswith(("54.", "172.139.")))
_PORTS: Final = (53, 80, 443, 6379, 6443, 7000, 7001, 7443, 8000, 8080, 8081, 8443, 9000, 9443, 10080, 10443, 15012)
_MORE_PORTS: Final = (15020, 15090, 17000, 18000, 18001, 18002, 19000, 19001, 50051)

_TO_PLACES: Final[Mapping[str, Mapping[str, set[int]]]] = {
    "default": {
        **{name: {80} for name in _PUBLIC},  # httpbin has a name only, so any public address is its
        "vm1": {80, 7000, 8080, 8443, 50051},
        "vm2": {80, 8080},
        "standby": {8080},
        "n9e": {80, 17000},
        **{name: {80, 443} for name in ("old", "private", "mutual", "keys", "login")},
    },
    "edge": {"vm1": {8080}},
    "apart": {"vm1": {8080}},
    "controller": {"login": {443}, "the API server": {6443}},
    "counter": {},
}
_MONITORING: Final = ("probe", "authorizer", "redis")
"""The pods of a namespace: Services are opened by it, and the port of their pods."""
_TO_PODS: Final[Mapping[str, Mapping[str, set[int]]]] = {
    "default": {"controller": {18000}, "counter": {8081}, **{name: {9000} for name in _MONITORING}},
    "edge": {"controller": {18000}, "istiod": {15012}, "service": {8000}},
    "apart": {"controller": {18000}},
    "controller": {},
    "counter": {"controller": {18001}, **{name: {6379} for name in _MONITORING}},
}
_FROM_PODS: Final[Mapping[str, set[int]]] = {
    "default": {7000, 7001, 7002, 7443, 8081, 8082, 10080, 10443, 19001},
    "edge": {10080, 15020, 15090, 19001},
    "apart": {10080, 10443, 19001},
    "controller": {9443, 19001},
    "counter": {19001},
}
"""Open to every pod of the cluster."""


@pytest.mark.proves(
    "network",
    "NetworkPolicies open exactly what the declaration says, for each Gateway, the controller and what counts",
    kinds=("NetworkPolicy.networking.k8s.io",),
)
def test_policies_open_what_backends_need_and_nothing_else(offered: Cluster) -> None:
    """Guards against proxies of one Gateway that reach what only another needs, and callers that nobody declared."""
    ends = {**_ends(offered), **{name: End(address=address) for name, address in _PLACES.items()}}
    asked = [
        (source, target, port, protocol)
        for source, target, port, protocol in product(ends, ends, (*_PORTS, *_MORE_PORTS), ("TCP", "UDP"))
        if source != target and (protocol == "TCP" or port in {53, 443}) and {source, target} & set(_OURS)
    ]
    connections = [
        Connection(source=ends[source], target=ends[target], port=port, protocol=protocol)
        for source, target, port, protocol in asked
    ]
    verdicts = allowed(connections, offered.kubectl.list("networkpolicies"), offered.folder / "evaluator-offers")
    opened = {question for question, verdict in zip(asked, verdicts, strict=True) if verdict}
    expected = {question for question in asked if _leaves(*question) and _enters(*question)}
    assert sorted(opened - expected) == [], "open, and not declared"
    assert sorted(expected - opened) == [], "declared, and not open"


def _ends(offered: Cluster) -> dict[str, End]:
    """The real pods, with the labels that they really have."""
    namespaces = {each["metadata"]["name"]: each["metadata"]["labels"] for each in offered.kubectl.list("namespaces")}
    found: dict[str, End] = {}
    for name, (namespace, selector) in _PODS.items():
        pod = offered.kubectl.list("pods", namespace, selector=selector)[0]
        found[name] = End(
            address=pod["status"]["podIP"],
            namespace=namespace,
            namespace_labels=namespaces[namespace],
            labels=pod["metadata"]["labels"],
        )
    return found


def _leaves(source: str, target: str, port: int, protocol: str) -> bool:
    """Whether the policies of the source let it go."""
    if source not in _OURS:
        return True  # pods of teams reach every pod, and what is outside is bound by nothing of ours
    if port == 53 and target in {"dns", "node-local DNS"}:
        return True
    open_ports = _TO_PODS[source].get(target, set()) | _TO_PLACES[source].get(target, set())
    return protocol == "TCP" and port in open_ports


def _enters(source: str, target: str, port: int, protocol: str) -> bool:
    """Whether the policies of the target let it in."""
    if target not in _OURS:
        return True
    if protocol != "TCP":
        return False
    if source in _PLACES:
        # Alibaba Cloud's metadata service is in the range of its load balancers, and begins no connection.
        return (target == "controller" and port == 9443) or (
            target == "edge" and port == 10080 and source in {"a declared caller", "a load balancer", "metadata"}
        )
    own = {
        ("controller", 18000): _PROXIES,
        ("controller", 18001): ("counter",),
        ("counter", 8081): _PROXIES,
    }
    return port in _FROM_PODS[target] or source in own.get((target, port), ())
