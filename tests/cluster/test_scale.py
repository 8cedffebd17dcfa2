"""How much istiod sends to real proxies: in proportion to the hosts, and to nobody whom they do not concern."""

import time
from collections import Counter
from typing import Any, Final

import pytest

from components.plan.egress_gateway import plain_ports
from components.settings.reserved import LANES
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.proxy_config import CLUSTERS, KINDS, LISTENERS, ROUTES, dump, held
from tests.cluster.many_hosts import declare_many

_SIZES: Final = (21, 60, 99)
"""Numbers of hosts, at equal distances, and a third of each of every kind."""
_SECONDS: Final = 120
"""Longer than listeners are drained, which is 45."""


def _knows_hosts(pod: Pod, hosts: int) -> bool:
    """Whether a proxy has come to know so many of the added hosts, by its clusters for them."""
    names = [each["cluster"]["name"] for each in dump(pod, CLUSTERS)]
    return len({name.rsplit("|", 1)[-1] for name in names if "|host" in name}) == hosts


def _is_steady(pod: Pod) -> bool:
    """Whether nothing more comes or goes: routes come after clusters, and go with listeners, which are drained."""
    before = held(pod)
    time.sleep(2)
    return held(pod) == before and not any("draining_state" in each for each in dump(pod, LISTENERS))


def _of_client(cluster: Cluster, pod: Pod) -> Counter[str]:
    """What a client's proxy holds, without what each chunk costs: a cluster for every port of the gateway."""
    found = held(pod)
    chunks = sum(kind.startswith("VirtualService.") for kind, _, _ in cluster.applied.objects())
    ports = len(LANES) + len(plain_ports(cluster.settings, None)) + 1
    clusters, routes = found.clusters - chunks * ports, found.routes - _for_chunks(pod)
    return Counter(chains=found.chains, clusters=clusters, routes=routes)


def _of_gateway(pod: Pod) -> Counter[str]:
    """What a gateway holds; a filter chain leads to many hosts there."""
    found = held(pod)
    return Counter(clusters=found.clusters, routes=found.routes)


def _for_chunks(pod: Pod) -> int:
    """Routes for the chunks' own names, which nobody calls."""
    hosts = [host for each in dump(pod, ROUTES) for host in each["route_config"].get("virtual_hosts", ())]
    return sum(len(host["routes"]) for host in hosts if ".egress.internal:" in host["name"])


@pytest.mark.proves("growth", "routes, clusters and filter chains of real proxies grow by the same for every host")
def test_proxies_hold_the_same_more_for_every_host(cluster: Cluster, client: Client) -> None:
    """Guards against ten times the hosts that make a hundred times the routes."""
    storefront, seen = client("shop", "storefront"), dict[str, list[Counter[str]]](client=[], gateway=[])
    for hosts in _SIZES:
        stack = cluster.stack("dev", f"with-{hosts}")
        declare_many(stack, hosts, "shop", "storefront")
        with cluster.changed_to(stack, f"with-{hosts}-manifests"):
            gateway = cluster.pods(*EGRESS_GATEWAYS)[0]
            for pod in (storefront, gateway):
                wait_until(lambda pod=pod, hosts=hosts: _knows_hosts(pod, hosts), f"{hosts} hosts", seconds=_SECONDS)
                wait_until(lambda pod=pod: _is_steady(pod), f"{hosts} hosts' routes", seconds=_SECONDS)
            seen["client"].append(_of_client(cluster, storefront))
            seen["gateway"].append(_of_gateway(gateway))
    step = _SIZES[1] - _SIZES[0]
    ports, of_each = step * 4 // 3, step * 2 // 3  # a third of the hosts has HTTP and TLS
    for few, some, many in (seen["client"], seen["gateway"]):
        expected = Counter({kind: ports if kind == "clusters" else of_each for kind in few})
        assert some - few == many - some == expected


@pytest.mark.proves("growth", "what istiod sends to a client does not change with the hosts of others")
def test_a_client_is_not_told_of_hosts_of_others(cluster: Cluster, client: Client) -> None:
    """Guards against a mesh in which every sidecar pays for every team's destinations."""
    reader, storefront = client("news", "reader"), client("shop", "storefront")
    stack, hosts = cluster.stack("dev", "of-others"), 51
    declare_many(stack, hosts, "shop", "storefront")
    before = _configuration(reader)
    with cluster.changed_to(stack, "of-others-manifests"):
        wait_until(lambda: _knows_hosts(storefront, hosts), "the hosts at their own client", seconds=_SECONDS)
        assert _configuration(reader) == before


def _configuration(pod: Pod) -> dict[str, list[Any]]:
    """All that istiod has sent, in an order of its own: Envoy lists it in none."""
    return {kind: sorted(dump(pod, kind), key=str) for kind in KINDS}
