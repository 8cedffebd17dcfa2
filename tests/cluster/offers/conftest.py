"""One bed for all tests of backends, with the stack that asks for everything."""

from collections.abc import Generator
from typing import Final

import pytest

from tests.cluster import guarded
from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.signer import Signer
from tests.cluster.bed.valkey import redis
from tests.cluster.conftest import say
from tests.cluster.offers.asking import GATEWAYS, Caller
from tests.cluster.offers.declared import KEYS, NAMESPACE, declare, in_the_mesh, secrets

INLINE: Final = Signer(issuer="https://inline.example.org", name="inline")
FETCHED: Final = Signer(issuer="https://fetched.example.org", name="fetched")


@pytest.fixture(scope="package")
def offered(cluster: Cluster) -> Generator[Cluster]:
    """The cluster with backends that use everything, and all that they find there.

    Afterwards the controller has deleted what it made for them: it deletes the rate limiter only when it leads again.
    """
    before = _services(cluster)
    stack = cluster.stack("dev", "offers")
    declare(stack, INLINE, FETCHED)
    cluster.outside.publish("keys", {KEYS: FETCHED.key_set})
    with redis(cluster):
        cluster.kubectl.apply(*guarded.authorizer(), *in_the_mesh())
        cluster.kubectl.apply(*secrets(cluster.outside))
        say("applying the backends that use everything")
        with cluster.changed_to(stack, "offers-manifests"):
            for gateway in GATEWAYS:
                selected = (NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={gateway}")
                wait_until(lambda s=selected: cluster.pods(*s) != [], f"the proxies of {gateway}", seconds=60)
                cluster.wait_ready(*selected)
            cluster.wait_ready(*guarded.AUTHORIZER)
            cluster.wait_ready("shop", "app=judge")
            say("backends are offered")
            yield cluster
        wait_until(
            lambda: _services(cluster) == before,
            f"the Services that were there before, {before}",
            why_not=lambda: str(_services(cluster)),
        )


def _services(cluster: Cluster) -> set[str]:
    return {service["metadata"]["name"] for service in cluster.kubectl.list("service", NAMESPACE)}


@pytest.fixture(scope="package")
def probe(offered: Cluster) -> Pod:
    """A pod outside the mesh that asks."""
    return offered.client("monitoring", "probe")


@pytest.fixture(scope="package")
def caller(offered: Cluster, probe: Pod) -> Caller:
    """Who calls backends by their hostnames, at the Gateway that offers them."""
    return Caller(cluster=offered, pod=probe)
