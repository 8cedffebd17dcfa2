"""Every object of the stack, as the real API server, istiod, Envoy Gateway and the proxies take it."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.network import inside
from tests.cluster.bed.pods import EGRESS_GATEWAYS, OFFER_PROXIES, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.bed.stack import Key, resource
from tests.cluster.toolchains import tool
from tests.golden.render import STACKS

EXPLAINED: Final = {
    "IST0102": (
        r"Namespace (ci|default|monitoring|istio-egress|envoy-gateway-system)",
        "no sidecars there: either no client's namespace, or one whose pods are gateways themselves",
    ),
    "IST0118": (
        r"Service envoy-gateway-system/envoy-gateway",
        "Envoy Gateway's own chart names these ports; no pod of the mesh calls them",
    ),
}
"""Messages of istioctl that are right as they are: code, what it is about, why."""
_CONDITIONS: Final = {
    "GatewayClass.v1.gateway.networking.k8s.io": {"Accepted"},
    "Gateway.v1.gateway.networking.k8s.io": {"Accepted", "Programmed"},
    "HTTPRoute.v1.gateway.networking.k8s.io": {"Accepted", "ResolvedRefs"},
    "Backend.v1alpha1.gateway.envoyproxy.io": {"Accepted"},
    "ClientTrafficPolicy.v1alpha1.gateway.envoyproxy.io": {"Accepted"},
}
"""The conditions that must be true, by kind. EnvoyProxy, and what Istio reads, have none."""
_UNCONDITIONAL: Final = {
    "AuthorizationPolicy.v1.security.istio.io": "istiod counts what it cannot take, and proxies what they reject",
    "DestinationRule.v1.networking.istio.io": "the same",
    "EnvoyProxy.v1alpha1.gateway.envoyproxy.io": "its GatewayClass is Accepted",
    "Gateway.v1.networking.istio.io": "the same",
    "Namespace": "Kubernetes'",
    "NetworkPolicy.v1.networking.k8s.io": "Kubernetes'; the evaluator reads it",
    "Role.v1.rbac.authorization.k8s.io": "Kubernetes'; judged by test_admission",
    "RoleBinding.v1.rbac.authorization.k8s.io": "the same",
    "ServiceEntry.v1.networking.istio.io": "as AuthorizationPolicy",
    "Sidecar.v1.networking.istio.io": "as AuthorizationPolicy",
    "Telemetry.v1.telemetry.istio.io": "as AuthorizationPolicy",
    "ValidatingAdmissionPolicy.v1.admissionregistration.k8s.io": "judged by test_admission",
    "ValidatingAdmissionPolicyBinding.v1.admissionregistration.k8s.io": "the same",
    "VirtualService.v1.networking.istio.io": "as AuthorizationPolicy",
}
"""Kinds that have no conditions, and who says instead that they are taken."""
_NOT_APPLIED: Final = {
    "prod": "a cloud makes its nodes; its kinds are those of `dev`, certificates, and Terway's PodNetworking",
}
"""Stacks that no bed runs, and why."""
_NOT_COMPARED: Final = ("componentstatuses", "customresource", "endpoint", "events", "leases", "nodes", "pods")
"""What controllers write all the time, and CRDs, which nothing here writes twice and which are megabytes."""
_METRIC: Final = re.compile(
    r"^(?P<name>pilot_\w*(?:reject|error|conflict)\w*)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$"
)


def test_the_bed_knows_every_stack_and_every_kind(cluster: Cluster) -> None:
    """Guards against a new stack, or a new kind of object, that nobody applies and whose conditions nobody looks at."""
    stacks = {*STACKS} - {*_NOT_APPLIED}
    assert stacks == {"dev", "staging"}, "apply the new stack here, or its flavour in a module of its own"
    assert {kind for kind, _, _ in cluster.applied.objects()} == {*_CONDITIONS, *_UNCONDITIONAL}


@pytest.mark.proves("objects", "the control planes accept every object: conditions, pushes, admission")
@pytest.mark.parametrize("kind", _CONDITIONS)
def test_every_object_is_accepted(cluster: Cluster, kind: str) -> None:
    """Guards against an object that the API server stores, and its controller refuses."""
    wait_until(
        lambda: _refused(cluster, kind) == [], f"the conditions of {kind}", why_not=lambda: str(_refused(cluster, kind))
    )
    assert cluster.kubectl.list(kind)


def _refused(cluster: Cluster, kind: str) -> list[str]:
    """Which conditions are not true, or not there."""
    told: list[str] = []
    for item in cluster.kubectl.list(kind):
        lists = list(_condition_lists(item.get("status", {})))
        if not lists:
            told.append(f"{item['metadata']['name']}: no controller has spoken")
        for conditions in lists:
            held = {each["type"]: each for each in conditions}
            lacking = [each for each in sorted(_CONDITIONS[kind]) if held.get(each, {}).get("status") != "True"]
            told += [f"{item['metadata']['name']}: {each}: {held.get(each)}" for each in lacking]
    return told


def _condition_lists(status: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    parents = status.get("parents", status.get("ancestors"))
    if parents is None:
        yield status.get("conditions", [])
    else:
        yield from (parent["conditions"] for parent in parents)


@pytest.mark.proves("objects", "the control planes accept every object: conditions, pushes, admission")
def test_istiod_pushes_without_errors(cluster: Cluster) -> None:
    """Guards against configuration that istiod drops, finds in conflict, or that a proxy rejects."""
    (istiod,) = cluster.pods("istio-system", "app=istiod")
    metrics = istiod.run("curl", "--silent", "--fail", "http://127.0.0.1:15014/metrics", container="discovery").stdout
    assert "pilot_xds_pushes" in metrics
    found = [match for line in metrics.splitlines() if (match := _METRIC.match(line)) is not None]
    assert {match[0]: match["value"] for match in found if float(match["value"]) != 0} == {}


@pytest.mark.proves("objects", "every proxy takes every piece of configuration that it is sent")
def test_no_proxy_rejects_configuration(cluster: Cluster) -> None:
    """Guards against listeners or clusters that the real Envoy refuses; it keeps the old ones and says so only here."""
    proxies: list[tuple[Pod, str, int]] = [
        (pod, "istio-proxy", 15000)
        for namespace, selector in (EGRESS_GATEWAYS, ("news", "app"), ("shop", "app"))
        for pod in cluster.pods(namespace, selector)
    ]
    proxies += [(pod, "envoy", 19000) for pod in cluster.pods(*OFFER_PROXIES)]
    assert len(proxies) >= 7
    for pod, container, port in proxies:
        stats = json.loads(pod.admin("stats?filter=update_(rejected|success)&format=json", container, port))["stats"]
        held = {each["name"]: each["value"] for each in stats if "value" in each}
        assert {name: value for name, value in held.items() if name.endswith("rejected") and value != 0} == {}, pod.name
        assert any(name.endswith("success") and value > 0 for name, value in held.items()), pod.name


@pytest.mark.proves("objects", "`istioctl analyze` finds nothing in the cluster that is not explained")
def test_istioctl_finds_nothing_unexplained(cluster: Cluster) -> None:
    """Guards against references to nothing, conflicting hosts, and whatever else Istio's own analysis knows."""
    command = [tool("istioctl", build=False), "analyze", "--all-namespaces", "--output=json"]
    done = subprocess.run(
        [*inside(cluster.network.nodes), *command],
        env=cluster.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    messages = json.loads(done.stdout)
    about = [(each["code"], each["origin"]) for each in messages]
    assert [(code, origin) for code, origin in about if not _explained(code, origin)] == []
    assert {code for code, _ in about} == set(EXPLAINED), "an explanation that is not needed any more"


def _explained(code: str, origin: str) -> bool:
    return code in EXPLAINED and re.fullmatch(EXPLAINED[code][0], origin) is not None


@pytest.mark.proves("objects", "applying everything a second time changes nothing")
def test_a_second_apply_changes_nothing(cluster: Cluster) -> None:
    """Guards against fields that we and a controller, or two objects of ours, write in turns."""
    before = settled_versions(cluster)
    assert len(before) > 40
    cluster.applied.apply(cluster.environment, cluster.network.nodes)
    after = versions(cluster)
    assert {key for key in before if after.get(key) != before[key]} == set()
    assert set(after) == set(before)


def settled_versions(cluster: Cluster) -> dict[Key, dict[str, Any]]:
    """The same once nothing changes any more: controllers write into some objects of charts after they have begun."""
    held = versions(cluster)

    def same() -> bool:
        nonlocal held
        before, held = held, versions(cluster)
        return held == before

    wait_until(same, "the cluster to settle")
    return held


def versions(cluster: Cluster) -> dict[Key, dict[str, Any]]:
    """What the API server has of every object of ours and of our charts: its version, if it has no status; its spec.

    Objects with a status change whenever their controller reports; so do those that hooks of charts make anew.
    """
    listed = cluster.kubectl.run("api-resources", "--verbs=list,get", "--output=name").stdout.split()
    chosen = [kind for kind in listed if not kind.startswith(_NOT_COMPARED)]
    found: dict[Key, dict[str, Any]] = {}
    for item in cluster.kubectl.list(",".join(chosen)):
        metadata = item["metadata"]
        annotations = metadata.get("annotations", {})
        managed = metadata.get("labels", {}).get("app.kubernetes.io/managed-by")
        if managed in {"cluster-egress", "Helm"} and "helm.sh/hook" not in annotations:
            key = (resource(item), metadata.get("namespace", ""), metadata["name"])
            found[key] = {name: value for name, value in item.items() if name not in {"status", "metadata"}}
            found[key] |= {
                "labels": metadata.get("labels", {}),
                "annotations": annotations,
                "generation": metadata.get("generation"),
            }
            if "status" not in item:
                found[key]["version"] = metadata["resourceVersion"]
    return found
