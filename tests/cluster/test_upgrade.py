"""A second istiod beside the first, gateways and namespaces that move to it and back, while traffic flows."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import pytest
import yaml

from tests.cluster.bed import addons
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import EGRESS_GATEWAYS, Client, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stream import Stream, flowing

_NEWER: Final = "1.31.1"
"""A label only: all versions are the same program here."""
_CANARY: Final = {"version": _NEWER, "namespaces": ["news"], "gateways": ["default"]}
_ISTIOD: Final = "app=istiod,istio.io/rev=canary"
_STEPS: Final[dict[str, dict[str, Any]]] = {
    "moved": {"canary": _CANARY},
    "moved-back": {"version": _NEWER, "canary": {"version": _NEWER}},
}
"""What `install.istio` says in each step of docs/egress-gateways.md, beside the charts."""


@contextmanager
def _step(cluster: Cluster, name: str) -> Generator[None]:
    """The stack in one of the steps, and back to the one before."""
    stack = cluster.stack("dev", f"upgrade-{name}")
    values = yaml.safe_load(stack.file.read_text(encoding="utf-8"))
    values["config"]["cluster-egress:install"]["istio"] |= _STEPS[name]
    stack.file.write_text(yaml.safe_dump(values), encoding="utf-8")
    with cluster.changed_to(stack, f"upgrade-{name}-manifests"):
        yield


@contextmanager
def _restarted(cluster: Cluster, namespace: str, account: str) -> Generator[Pod]:
    """A pod of a namespace, as a restart would make it."""
    cluster.kubectl.apply(addons.client(namespace, "restarted", account))
    try:
        cluster.wait_ready(namespace, "app=restarted")
        yield cluster.client(namespace, "restarted")
    finally:
        cluster.kubectl.run("delete", "pod", "restarted", "-n", namespace, "--wait=true")


@pytest.fixture(scope="module")
def moved(cluster: Cluster, client: Client) -> Generator[Stream]:
    """The cluster with a second istiod, to which a namespace and the gateway have moved, and traffic all the while.

    The last test looks at what became of the traffic, also while everybody moved back.
    """
    reader, storefront = client("news", "reader"), client("shop", "storefront")
    with flowing(
        lambda: reader.curl("http://edition.cnn.com/upgrade").outcome,
        lambda: reader.curl("https://edition.cnn.com/upgrade").outcome,
        lambda: storefront.curl("http://edition.cnn.com/upgrade").outcome,
        lambda: storefront.curl("https://edition.cnn.com/upgrade").outcome,
    ) as stream:
        with ExitStack() as steps:
            steps.enter_context(_step(cluster, "moved"))
            stream.wait_for(3)
            yield stream
        stream.wait_for(3)
    assert set(stream.outcomes) == {"200"}  # undone in one step, as an upgrade that is given up


@pytest.mark.proves("mesh", "during an upgrade, whoever is named is served by the second istiod, and nobody else")
@pytest.mark.usefixtures("moved")
def test_only_who_is_named_moves(cluster: Cluster) -> None:
    """Guards against labels of which the older wins, and webhooks of two revisions that both take a pod, or neither."""
    (istiod,) = cluster.pods("istio-system", _ISTIOD)
    for gateway in _gateways(cluster):
        assert _revision(cluster, gateway) == "canary"
        assert _connected_to(gateway) == "istiod-canary"
    for namespace, account, revision in (("news", "reader", "canary"), ("shop", "storefront", "default")):
        with _restarted(cluster, namespace, account) as pod:
            assert _revision(cluster, pod) == revision
            assert _connected_to(pod) == ("istiod-canary" if revision == "canary" else "istiod")
            for scheme in ("http", "https"):
                wait_until(
                    lambda p=pod, s=scheme: p.curl(f"{s}://edition.cnn.com/").outcome == "200", f"{namespace}, {scheme}"
                )
            assert pod.curl("http://undeclared.example.com/").outcome == "502"
    assert istiod.name.startswith("istiod-canary-")


@pytest.mark.proves("mesh", "during an upgrade, proxies of both istiods trust and authorise each other as before")
@pytest.mark.usefixtures("moved")
def test_who_was_refused_is_still_refused(client: Client) -> None:
    """Guards against two control planes with roots or trust domains of their own."""
    assert client("news", "other").curl("http://edition.cnn.com/").outcome == "403"
    assert client("elsewhere", "reader").curl("http://edition.cnn.com/").outcome == "502"


@pytest.mark.proves("mesh", "an upgrade of Istio in steps, and back, fails no request of declared clients")
def test_moving_back_stops_nothing(cluster: Cluster, moved: Stream) -> None:
    """Guards against an end of the upgrade that leaves pods without an istiod, or a gap between two gateways."""
    with _step(cluster, "moved-back"):
        for gateway in _gateways(cluster):
            assert _revision(cluster, gateway) == "default"
        with _restarted(cluster, "news", "reader") as pod:
            assert _revision(cluster, pod) == "default"
            wait_until(lambda: pod.curl("http://edition.cnn.com/").outcome == "200", "the namespace that moved back")
        moved.wait_for(3)
    assert set(moved.outcomes) == {"200"}


def _gateways(cluster: Cluster) -> list[Pod]:
    wait_until(lambda: len(cluster.pods(*EGRESS_GATEWAYS)) == 2, "two pods of the gateway")
    return cluster.pods(*EGRESS_GATEWAYS)


def _revision(cluster: Cluster, pod: Pod) -> str:
    """Which istiod's webhook made the pod's proxy."""
    return cluster.kubectl.get("pod", pod.name, pod.namespace)["metadata"]["annotations"]["istio.io/rev"]


def _connected_to(pod: Pod) -> str:
    """The Service from which the proxy has its configuration, by the address that its agent was given."""
    (service,) = {
        word.partition(".")[0]
        for line in pod.log("istio-proxy").splitlines()
        if "CA Endpoint" in line
        for word in line.split()
        if word.startswith("istiod")
    }
    return service
