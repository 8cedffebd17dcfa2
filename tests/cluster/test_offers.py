"""Outside services that are offered inside: what answers on their hostnames through the real Envoy Gateway."""

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import OFFER, OFFER_PROXIES, Client
from tests.cluster.bed.processes import wait_until


@pytest.mark.proves(
    "north-south",
    "backends answer on their hostnames, from every endpoint",
    kinds=(
        "Backend.gateway.envoyproxy.io",
        "HTTPRoute.gateway.networking.k8s.io",
        "Gateway.gateway.networking.k8s.io",
        "GatewayClass.gateway.networking.k8s.io",
    ),
)
def test_every_endpoint_of_n9e_answers(cluster: Cluster, client: Client) -> None:
    """Guards against an endpoint that is declared and never asked."""
    probe = client("monitoring", "probe")
    seen: set[str] = set()

    def both() -> bool:
        answer = probe.curl(f"{OFFER}/n", "--header", "host: n9e.jiaxzeng.com")
        assert answer.outcome == "200"
        seen.add(answer.body.split()[0])
        return seen == {"n9e1", "n9e2"}

    wait_until(both, "answers from both", why_not=lambda: str(seen))


@pytest.mark.proves("north-south", "backends answer on their hostnames, from every endpoint")
def test_httpbin_answers_by_name(cluster: Cluster, client: Client) -> None:
    """Guards against a Backend whose name the proxies cannot resolve."""
    answer = client("monitoring", "probe").curl(f"{OFFER}/h", "--header", "host: httpbin.org")
    assert (answer.outcome, answer.body.split()[0]) == ("200", "httpbin")


@pytest.mark.proves("north-south", "what leaves through a backend comes from the proxies on the egress nodes")
def test_backends_are_asked_by_the_proxies(cluster: Cluster, client: Client) -> None:
    """Guards against traffic from addresses that no firewall outside knows."""
    since = cluster.outside.count("httpbin")
    client("monitoring", "probe").curl(f"{OFFER}/peer", "--header", "host: httpbin.org")
    (request,) = cluster.outside.seen("httpbin", since=since, event="request", path="/peer")
    assert request["peer"] in _proxies(cluster)
    assert set(request["headers"]) == {"host", "user-agent", "accept", "x-request-id"}


def _proxies(cluster: Cluster) -> set[str]:
    proxies = cluster.pods(*OFFER_PROXIES)
    return {pod.address for pod in proxies}


@pytest.mark.proves("north-south", "an undeclared hostname is not answered")
@pytest.mark.parametrize(
    "host", ["undeclared.example.com", "172.139.20.181", "edition.cnn.com", "n9e.jiaxzeng.com.evil"]
)
def test_undeclared_hostnames_are_not_answered(cluster: Cluster, client: Client, host: str) -> None:
    """Guards against a listener or a route without hostnames, which serves every name."""
    hosts = ("n9e1", "n9e2", "httpbin", "cnn", "undeclared")
    since = {each: cluster.outside.count(each) for each in hosts}
    assert client("monitoring", "probe").curl(f"{OFFER}/", "--header", f"host: {host}").outcome == "404"
    for each in hosts:
        assert cluster.outside.seen(each, since=since[each]) == []


@pytest.mark.proves("north-south", "clients in the mesh reach backends by their hostnames")
@pytest.mark.parametrize(("namespace", "name"), [("news", "reader"), ("shop", "storefront")])
def test_mesh_clients_reach_backends(cluster: Cluster, client: Client, namespace: str, name: str) -> None:
    """Guards against a sidecar that answers 502 for a hostname that only the Gateway knows."""
    since = cluster.outside.count("httpbin")
    answer = client(namespace, name).curl("http://httpbin.org/mesh")
    assert (answer.outcome, answer.body.split()[0]) == ("200", "httpbin")
    (request,) = cluster.outside.seen("httpbin", since=since, event="request", path="/mesh")
    assert request["peer"] in _proxies(cluster)
    at = ("--resolve", "n9e.jiaxzeng.com:80:198.51.100.1")
    assert client(namespace, name).curl("http://n9e.jiaxzeng.com/mesh", *at).outcome == "200"
