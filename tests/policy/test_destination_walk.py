"""How single values are read: servers, images, and what Istio's providers call."""

import pytest

from policy.destinations import destinations_of
from policy.destinations.walk import Walk
from policy.facts.ports import LAST_PORT
from policy.reading import Node
from policy.subjects import subjects_of


def _node(value: object) -> Node:
    return Node(value=value, path="a")


@pytest.mark.parametrize(
    ("text", "network", "port"),
    [
        ("47.96.10.20:1", "47.96.10.20/32", 1),
        (f"47.96.10.20:{LAST_PORT}", "47.96.10.20/32", LAST_PORT),
        ("[2606:4700::1]:6379", "2606:4700::1/128", 6379),
    ],
)
def test_a_server_is_an_address_on_a_port(text: str, network: str, port: int) -> None:
    """Guards against an approval that is asked for without the port that is connected to."""
    walk = Walk()
    walk.server(_node(text))
    found = walk.destinations()
    assert [(str(each.network), each.ports) for each in found.addresses] == [(network, frozenset({port}))]
    assert (found.ports, found.unreadable) == ((), ())


def test_a_server_may_be_a_name_of_the_cluster() -> None:
    """Guards against a Redis in the cluster that nobody can name."""
    walk = Walk()
    walk.server(_node("redis.cache.svc.cluster.local:6379"))
    assert [(each.name, each.inside) for each in walk.destinations().names] == [("redis.cache.svc.cluster.local", True)]


@pytest.mark.parametrize("text", ["", ":6379", "redis", "redis:", "redis:0", "redis:65536", "redis:06379", "redis:x"])
def test_what_is_no_server_is_told(text: str) -> None:
    """Guards against a value that two programs would take apart differently."""
    walk = Walk()
    walk.server(_node(text))
    [finding] = walk.destinations().unreadable
    assert finding.message == f"{text!r} is not a host and a port"


@pytest.mark.parametrize("value", [5, ["redis:6379"]])
def test_a_server_that_is_no_text_is_told(value: object) -> None:
    """Guards against a crash, and against a value that nobody judges."""
    walk = Walk()
    walk.server(_node(value))
    assert len(walk.destinations().unreadable) == 1


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("registry.example.com/a:v1", "registry.example.com"),
        ("oci://registry.example.com:5000/a/b", "registry.example.com"),
        ("team/filter:v1", "docker.io"),
        ("filter:v1", "docker.io"),
        ("https://wasm.example.com/oci://x", "wasm.example.com"),
    ],
)
def test_where_an_image_comes_from(text: str, host: str) -> None:
    """Guards against taking a folder for a registry, and a part of a path for a scheme."""
    walk = Walk()
    walk.image(_node(text))
    found = walk.destinations()
    assert ([each.name for each in found.names], found.unreadable) == ([host], ())


def test_an_image_in_the_proxy_itself_leads_nowhere() -> None:
    """Guards against a file of the proxy's own that is taken for a host; other schemes are told."""
    walk = Walk()
    walk.image(_node("file:///opt/a.wasm"))
    assert walk.destinations().unreadable == ()
    walk.image(_node("FILE:///opt/a.wasm"))
    assert len(walk.destinations().unreadable) == 1


def test_what_istio_s_providers_call() -> None:
    """Guards against a provider whose address is judged without its port, or one that names none and is told."""
    mesh = """
outboundTrafficPolicy: {mode: REGISTRY_ONLY}
extensionProviders:
  - {name: a, envoyExtAuthzHttp: {service: 10.20.1.5, port: 8443}}
  - {name: b, zipkin: {service: tracing/zipkin.tracing.svc.cluster.local, port: 9411}}
  - {name: c, envoyFileAccessLog: {path: /dev/stdout}}
  - {name: d, envoyOtelAls: {service: null, port: 4317}}
  - {name: e, envoyOtelAls: {service: 5, port: 4318}}
"""
    whole = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": mesh},
    }
    [subject] = subjects_of(whole)
    found = destinations_of(subject)
    base = "data.mesh.extensionProviders"
    assert [(each.path, str(each.network), each.ports) for each in found.addresses] == [
        (f"{base}[0].envoyExtAuthzHttp.service", "10.20.1.5/32", frozenset({8443}))
    ]
    assert [(each.path, each.name) for each in found.names] == [
        (f"{base}[1].zipkin.service", "zipkin.tracing.svc.cluster.local")
    ]
    assert [(each.path, each.message) for each in found.unreadable] == [
        (f"{base}[4].envoyOtelAls.service", "must be text, not 5")
    ]
