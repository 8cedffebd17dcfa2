"""An older Envoy Gateway that is upgraded, CRDs first, and goes back; then the last backend goes. Traffic flows on."""

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.cluster.bed.cluster import Cluster, running
from tests.cluster.bed.pods import OFFER, OFFER_PROXIES
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stack import Manifests
from tests.cluster.bed.stream import Stream, flowing
from tests.cluster.conftest import say, settle
from tests.cluster.toolchains import version_of
from tests.projects import ROOT
from tests.support import dev_values, settings_of

_NAMESPACE: Final = "envoy-gateway-system"
_CONTROLLER: Final = (_NAMESPACE, "control-plane=envoy-gateway")
_SPOKEN_OF: Final = (
    "gatewayclasses.gateway.networking.k8s.io",
    "gateways.gateway.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "backends.gateway.envoyproxy.io",
)
"""The stack's kinds that Envoy Gateway accepts in their status."""
_CRDS: Final = "crds"
"""In the commands of the README that are about CRDs."""
_RELEASE: Final = "helm upgrade --install envoy-gateway "
_FIELD: Final = "autoSNIFromEndpointHostname"
_NEWER_BACKEND: Final[dict[str, Any]] = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "Backend",
    "metadata": {"name": "newer", "namespace": _NAMESPACE},
    "spec": {
        "endpoints": [{"fqdn": {"hostname": "httpbin.org", "port": 443}}],
        "tls": {"wellKnownCACertificates": "System", _FIELD: True},
    },
}
"""A Backend with a field that only the newer CRDs know."""
_OF_THE_OLDER_CHART: Final = {
    f"ValidatingAdmissionPolicy{kind} safe-upgrades.gateway.networking.k8s.io" for kind in ("", "Binding")
}
"""It had them among its CRDs; since 1.9 they are part of the release."""
_CLUSTER_WIDE: Final = (
    "clusterroles,clusterrolebindings,customresourcedefinitions,mutatingwebhookconfigurations,"
    "validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings,"
    "gatewayclasses.gateway.networking.k8s.io"
)


@pytest.fixture(scope="module")
def older(bed_allowed: None) -> Generator[Cluster]:
    """A cluster of its own, with the stack `dev` and an older Envoy Gateway, whose release brought its CRDs."""
    with running(settings_of(dev_values()), say, name="older") as cluster:
        cluster.applied = _manifests(cluster, "older")
        _run(cluster, "older", lambda command: _CRDS not in command)
        cluster.add_clients()
        settle(cluster)
        yield cluster


def _manifests(cluster: Cluster, which: str, *, backends: bool = True) -> Manifests:
    """What the stack `dev` registers with one of the two charts."""
    charts = cluster.charts
    chosen = {"older": charts.older_envoy_gateway, "newer": charts.envoy_gateway}[which]
    folder = which if backends else f"{which}-without-backends"
    written = Manifests(folder=cluster.folder / f"{folder}-manifests")
    if written.folder.exists():
        return written
    stack = cluster.stack("dev", folder, charts=replace(charts, envoy_gateway=chosen))
    if not backends:
        values = yaml.safe_load(stack.file.read_text(encoding="utf-8"))
        del values["config"]["cluster-egress:backends"]
        stack.file.write_text(yaml.safe_dump(values), encoding="utf-8")
    stack.manifests(written.folder)
    if which == "older":
        _leave_out_what_the_older_does_not_know(written.folder)
    return written


def _leave_out_what_the_older_does_not_know(folder: Path) -> None:
    """To believe nobody's `X-Forwarded-For` is what 1.8 does anyway, and it has no word for it."""
    paths = list(folder.glob("*clienttrafficpolicy*.yaml"))
    assert paths
    for path in paths:
        policy = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert policy["spec"].pop("clientIPDetection") == {"directSourceIP": {}}
        path.write_text(yaml.safe_dump(policy), encoding="utf-8")


def _run(cluster: Cluster, which: str, chosen: Callable[[str], bool]) -> list[str]:
    """Run commands of the manifests' README, in order, and say which."""
    manifests = _manifests(cluster, which)
    commands = [command for command in manifests.commands if chosen(command)]
    for command in commands:
        manifests.run(command, cluster.environment, cluster.network.nodes, why_not=cluster.troubles)
    return commands


def _upgrade(cluster: Cluster, which: str) -> None:
    """Upgrade the release only, and wait until its proxies have replaced the other's."""
    before = _proxy_images(cluster)
    _release(cluster, which)
    _wait_rolled(cluster, before)


def _release(cluster: Cluster, which: str) -> None:
    assert len(_run(cluster, which, lambda command: command.startswith(_RELEASE))) == 1
    cluster.applied = _manifests(cluster, which)


@pytest.fixture(scope="module")
def asked(older: Cluster) -> Generator[Stream]:
    """Requests to backends all the time, from pods with a sidecar and without; some take a while."""
    probe, reader, storefront = (
        older.client(*each) for each in (("monitoring", "probe"), ("news", "reader"), ("shop", "storefront"))
    )
    resolved = ("--resolve", "n9e.jiaxzeng.com:80:198.51.100.1")
    with flowing(
        lambda: probe.curl(f"{OFFER}/upgrade", "--header", "host: n9e.jiaxzeng.com").outcome,
        lambda: probe.curl(f"{OFFER}/upgrade", "--header", "host: httpbin.org").outcome,
        lambda: reader.curl("http://httpbin.org/upgrade").outcome,
        lambda: storefront.curl("http://n9e.jiaxzeng.com/upgrade", *resolved).outcome,
        lambda: probe.curl(f"{OFFER}/wait/2", "--header", "host: httpbin.org").outcome,
        lambda: reader.curl("http://httpbin.org/wait/2").outcome,
    ) as stream:
        yield stream


@pytest.fixture(scope="module")
def with_newer_crds(older: Cluster, asked: Stream) -> Cluster:
    """The older Envoy Gateway, and the CRDs of the newer one."""
    assert f'unknown field "{_FIELD}"' in (older.deployer.refused(_NEWER_BACKEND) or "")
    assert len(_run(older, "newer", lambda command: _CRDS in command)) == 2
    asked.wait_for(2)
    return older


@pytest.fixture(scope="module")
def newer(with_newer_crds: Cluster) -> Cluster:
    """The newer Envoy Gateway, once its proxies have replaced the older one's."""
    _upgrade(with_newer_crds, "newer")
    return with_newer_crds


@pytest.mark.proves("north-south", "newer CRDs under an older Envoy Gateway fail no request")
def test_an_older_controller_goes_on_with_newer_crds(with_newer_crds: Cluster, asked: Stream) -> None:
    """Guards against CRDs that an older controller cannot read, which shows when it starts anew."""
    assert with_newer_crds.deployer.refused(_NEWER_BACKEND) is None
    (controller,) = with_newer_crds.pods(*_CONTROLLER)
    dead = controller.pid("envoy-gateway")
    controller.kill("envoy-gateway")
    wait_until(lambda: controller.pid("envoy-gateway") != dead, "the controller anew")
    with_newer_crds.wait_ready(*_CONTROLLER)
    asked.wait_for(2)
    assert _version(with_newer_crds) == version_of("envoy-gateway-older")
    assert _not_accepted(with_newer_crds) == []
    assert set(asked.outcomes) == {"200"}


@pytest.mark.proves("north-south", "an upgrade of Envoy Gateway, CRDs first, fails no request")
def test_an_upgrade_loses_no_request(newer: Cluster, asked: Stream) -> None:
    """Guards against proxies that go before their successors are ready, or that the new controller cuts off."""
    assert _version(newer) == version_of("envoy-gateway")
    wait_until(lambda: _not_accepted(newer) == [], "every object", why_not=lambda: str(_not_accepted(newer)))
    assert newer.deployer.refused(_NEWER_BACKEND) is None
    asked.wait_for(2)
    assert set(asked.outcomes) == {"200"}


@pytest.mark.proves("north-south", "an older Envoy Gateway comes back under newer CRDs, and fails no request")
def test_going_back_loses_no_request(newer: Cluster, asked: Stream) -> None:
    """Guards against an upgrade that cannot be given up."""
    _upgrade(newer, "older")
    wait_until(lambda: _not_accepted(newer) == [], "every object", why_not=lambda: str(_not_accepted(newer)))
    asked.wait_for(2)
    _release(newer, "newer")  # as it was found
    asked.wait_for(2)
    say(f"while Envoy Gateway was upgraded, and went back: {asked.outcomes}")
    assert set(asked.outcomes) == {"200"}


@pytest.mark.proves("north-south", "Envoy Gateway goes with the last backend, and fails no other request")
def test_the_backend_api_goes_with_the_last_backend(newer: Cluster) -> None:
    """Guards against a Backend API that stays switched on, and a mesh that stops while Envoy Gateway goes."""
    reader, storefront = newer.client("news", "reader"), newer.client("shop", "storefront")
    assert _configured(newer) == [f"{_NAMESPACE}/envoy-gateway-config"]
    with flowing(
        lambda: reader.curl("http://edition.cnn.com/last").outcome,
        lambda: reader.curl("https://edition.cnn.com/last").outcome,
        lambda: storefront.curl("https://edition.cnn.com/last").outcome,
    ) as stream:
        newer.change_to(_manifests(newer, "newer", backends=False))
        stream.wait_for(3)
    assert set(stream.outcomes) == {"200"}
    assert reader.curl("http://httpbin.org/last").outcome == "502"
    assert _configured(newer) == []
    assert _NAMESPACE not in [item["metadata"]["name"] for item in newer.kubectl.list("namespaces")]
    left = {f"{item['kind']} {item['metadata']['name']}" for item in newer.kubectl.list(_CLUSTER_WIDE)}
    left = {each for each in left if "gateway" in each and "istio" not in each} - _OF_THE_OLDER_CHART
    listed = [line for line in _documented_as_staying() if "gateway" in line and "istio" not in line]
    assert [each for each in sorted(left) if not any(fnmatch(each, line) for line in listed)] == []
    assert [line for line in listed if not any(fnmatch(each, line) for each in left)] == []


def _documented_as_staying() -> list[str]:
    text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    return text.partition("## What stays after a destroy")[2].partition("```text\n")[2].partition("```")[0].splitlines()


def _configured(cluster: Cluster) -> list[str]:
    """Where in the cluster a configuration speaks of the Backend API."""
    return [
        f"{item['metadata']['namespace']}/{item['metadata']['name']}"
        for item in cluster.kubectl.list("configmaps")
        if "enableBackend" in json.dumps(item.get("data", {}))
    ]


def _version(cluster: Cluster) -> str:
    """The tag of the controller's image."""
    deployment = cluster.kubectl.get("deployment", "envoy-gateway", _NAMESPACE)
    return deployment["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]


def _proxy_images(cluster: Cluster) -> set[str]:
    """The images of the proxies' Envoy; each version of the controller has its own default."""
    return {
        container["image"]
        for pod in cluster.kubectl.list("pods", OFFER_PROXIES[0], selector=OFFER_PROXIES[1])
        for container in pod["spec"]["containers"]
        if container["name"] == "envoy"
    }


def _wait_rolled(cluster: Cluster, before: set[str]) -> None:
    """Wait until the proxies with these images are gone, and two others are ready."""
    wait_until(
        lambda: not before & _proxy_images(cluster) and len(cluster.pods(*OFFER_PROXIES)) == 2,
        "other proxies",
        seconds=150,
        why_not=lambda: f"{_proxy_images(cluster)}: {cluster.troubles()}",
    )
    cluster.wait_ready(*OFFER_PROXIES)


def _not_accepted(cluster: Cluster) -> list[str]:
    """What Envoy Gateway has not accepted as it now is."""
    told: list[str] = []
    for kind in _SPOKEN_OF:
        for item in cluster.kubectl.list(kind):
            status, generation = item.get("status", {}), item["metadata"]["generation"]
            holders = status.get("parents") or [status]
            held = [each for holder in holders for each in holder.get("conditions", []) if each["type"] == "Accepted"]
            if not held or any(each["status"] != "True" or each["observedGeneration"] < generation for each in held):
                told.append(f"{kind} {item['metadata']['name']}: {held}")
    return told
