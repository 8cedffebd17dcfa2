"""What happens to declared traffic, and to the stack, when a part dies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.network import inside
from tests.cluster.bed.pods import OFFER, OFFER_PROXIES, Client, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stack import Key
from tests.cluster.bed.stream import flowing
from tests.cluster.test_acceptance import versions

_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_LOST: Final = {
    "AuthorizationPolicy",
    "Backend",
    "DestinationRule",
    "HTTPRoute",
    "NetworkPolicy",
    "ServiceEntry",
    "VirtualService",
}
_MARKER_PORT: Final = 8999


def _requests(client: Client) -> list[Callable[[], str]]:
    reader, probe = client("news", "reader"), client("monitoring", "probe")
    return [
        lambda: reader.curl("http://edition.cnn.com/fault").outcome,
        lambda: reader.curl("https://edition.cnn.com/fault").outcome,
        lambda: probe.curl(f"{OFFER}/fault", "--header", "host: n9e.jiaxzeng.com").outcome,
        lambda: probe.curl(f"{OFFER}/fault", "--header", "host: httpbin.org").outcome,
    ]


@pytest.mark.proves("faults", "declared hosts keep answering while a control plane is dead, and after its return")
@pytest.mark.parametrize(
    ("namespace", "selector", "container"),
    [
        ("istio-system", "app=istiod", "discovery"),
        ("envoy-gateway-system", "control-plane=envoy-gateway", "envoy-gateway"),
    ],
    ids=["istiod", "envoy-gateway"],
)
def test_a_dead_control_plane_stops_nothing(
    cluster: Cluster, client: Client, namespace: str, selector: str, container: str
) -> None:
    """Guards against proxies that drop what they know when they lose who told them."""
    (pod,) = cluster.pods(namespace, selector)
    dead = pod.pid(container)
    with flowing(*_requests(client)) as stream:
        pod.kill(container)
        stream.wait_for(3)
        wait_until(lambda: pod.pid(container) != dead, f"{container} anew")
        stream.wait_for(3)
        cluster.wait_ready(namespace, selector)
        stream.wait_for(3)
    assert set(stream.outcomes) == {"200"}
    reader = client("news", "reader")
    assert reader.curl("http://undeclared.example.com/").outcome == "502"
    assert client("news", "other").curl("http://edition.cnn.com/").outcome == "403"


@pytest.mark.proves(
    "faults", "declared hosts keep answering while the API server is away, and changes reach the proxies after"
)
def test_a_restart_of_the_api_server_stops_nothing(cluster: Cluster, client: Client) -> None:
    """Guards against a data path that needs the API server, and controllers that never find it again."""
    with flowing(*_requests(client)) as stream:
        cluster.control_plane.restart("kube-apiserver", between=lambda: stream.wait_for(3))
        wait_until(cluster.control_plane.ready, "the API server")
        stream.wait_for(3)
    assert set(stream.outcomes) == {"200"}
    # A permission that is taken away now, and given back, must still reach the gateway.
    policies = cluster.kubectl.list("authorizationpolicies", "istio-egress")
    name = next(each["metadata"]["name"] for each in policies if each["spec"].get("rules"))
    kept = cluster.kubectl.get("authorizationpolicy", name, "istio-egress")
    reader = client("news", "reader")
    cluster.kubectl.run("delete", "authorizationpolicy", name, "-n", "istio-egress")
    try:
        wait_until(lambda: reader.curl("http://edition.cnn.com/").outcome == "403", "the refusal")
    finally:
        restored = {key: kept[key] for key in ("apiVersion", "kind", "spec")}
        metadata = {key: kept["metadata"][key] for key in ("name", "namespace", "labels")}
        cluster.deployer.apply({**restored, "metadata": metadata})
    wait_until(lambda: reader.curl("http://edition.cnn.com/").outcome == "200", "the permission")


@pytest.mark.proves("faults", "an apply that is ended half-way and run again ends in the same state")
def test_an_ended_apply_is_finished_by_the_next(cluster: Cluster, client: Client) -> None:
    """Guards against an order that only works from the beginning."""
    before = versions(cluster)
    ours = [key for key, held in before.items() if held["labels"].get(_MANAGED_BY) == "cluster-egress"]
    lost = [key for key in ours if key[0].partition(".")[0] in _LOST]
    for kind, namespace, name in lost:
        cluster.kubectl.run("delete", kind, name, "-n", namespace)
    assert len(lost) > 6
    with subprocess.Popen(
        [*inside(cluster.network.nodes), "sh", "-c", "\n".join(cluster.applied.commands)],
        cwd=cluster.applied.folder,
        env=cluster.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as ended:
        wait_until(lambda: any(_exists(cluster, key) for key in lost), "the first of them")
        os.killpg(ended.pid, signal.SIGTERM)
    assert not all(_exists(cluster, key) for key in lost), "it was not ended half-way"
    cluster.applied.apply(cluster.environment, cluster.network.nodes)
    after = versions(cluster)
    assert set(after) == set(before)
    assert {key for key in before if _content(after[key]) != _content(before[key])} == set()
    reader = client("news", "reader")
    wait_until(lambda: reader.curl("http://edition.cnn.com/").outcome == "200", "traffic as before")


def _exists(cluster: Cluster, key: Key) -> bool:
    kind, namespace, name = key
    return cluster.kubectl.run("get", kind, name, "-n", namespace, check=False).returncode == 0


def _content(held: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in held.items() if key not in {"version", "generation"}}


@pytest.mark.proves("faults", "a chart's upgrade that is killed is finished by the documented commands")
def test_a_killed_helm_is_finished_by_the_next(cluster: Cluster) -> None:
    """Guards against a release that stays pending, which Helm refuses to touch again."""
    (command,) = (
        each for each in cluster.applied.commands if each.startswith("helm upgrade --install egress-gateway ")
    )
    # A wait that cannot end: nothing changes in the release, so Helm would be done at once.
    cluster.kubectl.run("cordon", "--selector", "topology.kubernetes.io/zone")
    try:
        _shell(cluster, f"timeout --signal=KILL 6 {command} --set podAnnotations.bed=killed")
    finally:
        cluster.kubectl.run("uncordon", "--selector", "topology.kubernetes.io/zone")
    refused = _shell(cluster, command)
    assert refused.returncode != 0
    assert "in progress" in refused.stderr
    assert "egress-gateway" in _shell(cluster, "helm list --all-namespaces --pending").stdout
    mended = _shell(cluster, "helm rollback egress-gateway --namespace istio-egress")
    assert mended.returncode == 0, mended.stderr
    done = _shell(cluster, command)
    assert done.returncode == 0, done.stderr


def _shell(cluster: Cluster, command: str) -> subprocess.CompletedProcess[str]:
    """What a person who deploys gets for a command."""
    return subprocess.run(
        [*inside(cluster.network.nodes), "sh", "-c", command],
        cwd=cluster.applied.folder,
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


@pytest.mark.proves("faults", "an unsafe Backend really leads into the proxy: why the pack and admission block it")
def test_why_an_unsafe_backend_is_blocked(cluster: Cluster, client: Client) -> None:
    """Guards against a rule that guards against nothing. Only a marker that the test puts there is reached.

    Envoy Gateway takes `0.0.0.0`, which in the proxy's pod means the pod itself: what listens on loopback only, and
    so is out of reach for everybody, answers to whoever calls the route.
    """
    proxies = cluster.pods(*OFFER_PROXIES)
    backend, route = _unsafe()
    assert "EGR101" in (cluster.deployer.refused(backend) or ""), "admission blocks it, even for who deploys"
    policies = ["cluster-egress-backends", "cluster-egress-subjects"]
    bindings = [cluster.kubectl.get("validatingadmissionpolicybinding", name) for name in policies]
    markers = [_marker(pod) for pod in proxies]
    try:
        cluster.kubectl.run("delete", "validatingadmissionpolicybinding", *policies)
        wait_until(lambda: cluster.kubectl.refused(backend) is None, "the API server to forget the policies")
        cluster.kubectl.apply(backend, route)
        probe = client("monitoring", "probe")
        ask = lambda: probe.curl(f"{OFFER}/fault", "--header", "host: unsafe.example.com")  # noqa: E731
        wait_until(lambda: "only on loopback" in ask().body, "the marker inside the proxy's pod")
    finally:
        for marker in markers:
            marker.kill()
            marker.wait()
        for item in (route, backend):
            where = ("-n", item["metadata"]["namespace"])
            cluster.kubectl.run("delete", item["kind"], item["metadata"]["name"], *where, "--ignore-not-found")
        for binding in bindings:
            metadata = {"name": binding["metadata"]["name"], "labels": binding["metadata"]["labels"]}
            whole = {key: binding[key] for key in ("apiVersion", "kind", "spec")}
            cluster.deployer.apply({**whole, "metadata": metadata})
        wait_until(lambda: "EGR101" in (cluster.deployer.refused(backend) or ""), "the policies to hold again")


def _unsafe() -> tuple[dict[str, Any], dict[str, Any]]:
    """A Backend of the pod itself, and a route to it."""
    metadata = {"name": "unsafe", "namespace": "envoy-gateway-system"}
    endpoint = {"ip": {"address": "0.0.0.0", "port": _MARKER_PORT}}  # noqa: S104 - what is to be refused
    backend = {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "Backend", "metadata": metadata}
    reference = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "unsafe"}
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata}
    spec = {
        "parentRefs": [{"name": "cluster-egress"}],
        "hostnames": ["unsafe.example.com"],
        "rules": [{"backendRefs": [reference]}],
    }
    return {**backend, "spec": {"endpoints": [endpoint]}}, {**route, "spec": spec}


def _marker(pod: Pod) -> "subprocess.Popen[bytes]":
    """Something harmless inside a pod that listens on loopback only."""
    program = (
        "import http.server as h\n"
        "class Marker(h.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers(); self.wfile.write(b'only on loopback')\n"
        f"h.HTTPServer(('127.0.0.1', {_MARKER_PORT}), Marker).serve_forever()\n"
    )
    command = ["nsenter", f"--target={pod.pid('envoy')}", "--net", "--", sys.executable, "-c", program]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
