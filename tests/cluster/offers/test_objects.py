"""Every object of every backend, as the API server, Envoy Gateway and Envoy take it, and from whom they take it."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.envoy import envoy_program
from tests.cluster.bed.kubectl import Object
from tests.cluster.bed.processes import wait_until
from tests.cluster.offers.asking import DEFAULT, EDGE, GATEWAYS
from tests.cluster.offers.declared import NAMESPACE
from tests.cluster.toolchains import tool
from tests.offline_gateway import translate, validate

_GROUPS: Final = ("gateway.envoyproxy.io", "gateway.networking.k8s.io")
_JUDGED: Final = (
    "GatewayClass",
    "Gateway",
    "HTTPRoute",
    "GRPCRoute",
    "TLSRoute",
    "TCPRoute",
    "Backend",
    "SecurityPolicy",
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
)
"""The kinds of the stack to which Envoy Gateway gives conditions."""
_NOT_JUDGED: Final = {
    "EnvoyProxy": "its GatewayClass is Accepted",
    "ReferenceGrant": "what needs it has ResolvedRefs",
}
_BAD_IF_TRUE: Final = ("Conflicted", "OverlappingTLSConfig")
_NO_ADDRESS: Final = (EDGE, "Programmed", "AddressNotAssigned")
"""The Service of this Gateway waits for a load balancer, and no cloud gives it one here."""
_OVERLAP: Final = (DEFAULT, "OverlappingTLSConfig", "OverlappingCertificates")
"""All hostnames have one certificate here, for `*.example.org`. Then Envoy Gateway offers HTTP/1.1 only, lest browsers
use one connection for several hosts (internal/gatewayapi/listener.go)."""
_NO_SECRET: Final = ("unset", "Accepted", "Invalid")
"""Its Secret is not there, on purpose: it answers nobody (test_access.py)."""
_NO_HMAC: Final = "SecurityPolicy login: Accepted: OIDC: HMAC secret /envoy-oidc-hmac not found."
"""`egctl` looks for Envoy Gateway's own Secret in no namespace. The cluster's Envoy Gateway accepts the policy."""
_NO_CALLERS: Final = (
    "SecurityPolicy unset: Accepted: APIKeyAuth: secret envoy-gateway-system/callers-to-come does not exist."
)
"""The Secret that is not there on purpose; `login` and `unset` are on the same Gateway."""
_STRANGER: Final = ("--as=stranger", "--as-group=system:masters", "--as-group=system:authenticated")
"""Somebody whom RBAC lets do everything."""
_CONTROLLER: Final = "system:serviceaccount:envoy-gateway-system:envoy-gateway"
_SENT: Final = ("apiVersion", "kind", "type", "spec", "data", "addressType", "endpoints", "ports")


@pytest.mark.proves(
    "objects",
    "every condition of everything that a backend is made of is true",
    kinds=("ClientTrafficPolicy.gateway.envoyproxy.io",),
)
def test_every_condition_is_true(offered: Cluster) -> None:
    """Guards against a key of the declaration that the API server stores, and Envoy Gateway ignores."""
    wait_until(lambda: _complaints(offered) == [], "every object", why_not=lambda: "\n".join(_complaints(offered)))
    applied = {kind for kind, _ in _ours(offered)}
    assert applied == {*_JUDGED, *_NOT_JUDGED}
    (programmed,) = [
        each
        for each in _conditions(offered.kubectl.get("gateways.gateway.networking.k8s.io", EDGE, NAMESPACE)["status"])
        if each["type"] == "Programmed" and each["status"] != "True"
    ]
    assert (EDGE, programmed["type"], programmed["reason"]) == _NO_ADDRESS


def _ours(offered: Cluster) -> dict[tuple[str, str], Object]:
    """What is applied for Envoy Gateway, by kind and name."""
    return {
        (item["kind"], item["metadata"]["name"]): item
        for item in offered.applied.objects().values()
        if item["apiVersion"].partition("/")[0] in _GROUPS
    }


def _complaints(offered: Cluster) -> list[str]:
    """Each condition that says no, or that is about an object as it was before, and each object without any."""
    told: list[str] = []
    names: list[tuple[str, str]] = []
    for kind in _JUDGED:
        group = next(item["apiVersion"] for (each, _), item in _ours(offered).items() if each == kind)
        for item in offered.kubectl.list(f"{kind}.{group.partition('/')[0]}", NAMESPACE):
            name, generation = item["metadata"]["name"], item["metadata"]["generation"]
            names.append((kind, name))
            conditions = list(_conditions(item.get("status", {})))
            told += [] if conditions else [f"{kind} {name}: nobody has judged it"]
            for each in conditions:
                good = each["status"] == ("False" if each["type"] in _BAD_IF_TRUE else "True")
                explained = (name, each["type"], each["reason"]) in {_NO_ADDRESS, _OVERLAP, _NO_SECRET}
                if not (good or explained) or each.get("observedGeneration", 0) < generation:
                    told.append(f"{kind} {name}: {each}")
    lacking = {key for key in _ours(offered) if key[0] in _JUDGED} - set(names)
    return told + [f"{kind} {name}: it is not there" for kind, name in sorted(lacking)]


def _conditions(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for holder in (status, *status.get("parents", ()), *status.get("ancestors", ()), *status.get("listeners", ())):
        yield from holder.get("conditions", ())


@pytest.fixture(scope="module")
def around(offered: Cluster) -> list[Object]:
    """What our objects refer to in the cluster: Secrets, Services and the pods behind them."""
    namespaces = _watched(offered)
    kinds = "secrets,services,endpointslices.discovery.k8s.io"
    met = [item for namespace in namespaces for item in offered.kubectl.list(kinds, namespace)]
    named = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in namespaces]
    return [*named, *map(_plain, met)]


def _of_gateway(offered: Cluster, gateway: str) -> dict[tuple[str, str], Object]:
    """What is applied for one Gateway, and all Backends: `egctl` knows one class at a time."""
    ours = _ours(offered)
    routes = {
        key: item
        for key, item in ours.items()
        if any(parent["name"] == gateway for parent in item["spec"].get("parentRefs", ()))
    }
    names = {(item["kind"], name) for (_, name), item in routes.items()}
    return {
        key: item
        for key, item in ours.items()
        if key in routes
        or key[0] in {"Backend", "ReferenceGrant"}
        or (key[0] in {"GatewayClass", "EnvoyProxy", "Gateway"} and key[1] == gateway)
        or any((each["kind"], each["name"]) in {*names, ("Gateway", gateway)} for each in _targets(item))
    }


def _targets(item: Object) -> list[dict[str, str]]:
    """What a policy is about; nothing, for what is no policy."""
    return item["spec"].get("targetRefs", []) if item["kind"].endswith("Policy") else []


def _plain(item: Object) -> Object:
    """An object without what the API server and controllers write into it."""
    metadata = {key: item["metadata"][key] for key in ("name", "namespace", "labels") if key in item["metadata"]}
    return {**{key: item[key] for key in _SENT if key in item}, "metadata": metadata}


def _answered(item: Object) -> Object:
    """With what its OpenID provider answers, whom `egctl` does not reach: it is not in the bed's network."""
    found = copy.deepcopy(item)
    provider = found["spec"].get("oidc", {}).get("provider")
    if provider is not None:
        provider |= {f"{name}Endpoint": f"{provider['issuer']}/{name}" for name in ("authorization", "token")}
    return found


@pytest.mark.proves(
    "objects", "`egctl x validate` and `x translate` take every object, and Envoy the configuration that comes of them"
)
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_egctl_and_envoy_take_everything(offered: Cluster, around: list[Object], gateway: str, tmp_path: Path) -> None:
    """Guards against what only a newer API server refuses, and against a listener that Envoy drops whole."""
    ours = _of_gateway(offered, gateway)
    objects = [*around, *(_answered(_plain(item)) for item in ours.values())]
    translated = translate(tool("egctl", build=False), objects, f"{NAMESPACE}/{gateway}", tmp_path)
    assert translated.refused == ()
    login = gateway == DEFAULT
    assert translated.false == ((_NO_HMAC, _NO_CALLERS) if login else ())
    judged = {key for key in ours if key[0] in _JUDGED}
    assert judged - translated.accepted == (
        {("SecurityPolicy", "login"), ("SecurityPolicy", "unset")} if login else set()
    )
    assert validate(envoy_program(), translated.config, tmp_path) == ""


@pytest.mark.proves("objects", "every proxy takes every piece of configuration that it is sent")
@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_proxies_reject_nothing(offered: Cluster, gateway: str) -> None:
    """Guards against what the real Envoy refuses: it keeps what it had, and says so only here."""
    for pod in offered.pods(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={gateway}"):
        told = pod.admin("stats?filter=update_(rejected|success)", "envoy", 19000)
        counted = {name: int(value) for name, _, value in (line.partition(": ") for line in told.splitlines())}
        assert {name: value for name, value in counted.items() if name.endswith("rejected") and value > 0} == {}
        assert any(value > 0 for name, value in counted.items() if name.endswith("success"))


_SAMPLES: Final = (("Backend", "vms"), ("SecurityPolicy", "keyed"), ("EnvoyProxy", DEFAULT), ("Gateway", DEFAULT))


@pytest.mark.proves("admission", "what backends are made of is taken from the deployer, and from no stranger")
@pytest.mark.parametrize("namespace", [NAMESPACE, "shop"])
@pytest.mark.parametrize(("kind", "name"), _SAMPLES)
def test_strangers_write_nothing_of_it(offered: Cluster, kind: str, name: str, namespace: str) -> None:
    """Guards against a stranger's Backend beside ours, or a Gateway of our class in a namespace of their own."""
    item = _plain(_ours(offered)[kind, name])
    item["metadata"] = {"name": "another", "namespace": namespace}
    assert offered.deployer.refused(item) is None
    assert "'cluster-egress-subjects'" in (offered.kubectl.refused(item, arguments=_STRANGER) or "")


@pytest.mark.proves("admission", "what backends are made of is taken from the deployer, and from no stranger")
@pytest.mark.parametrize(("kind", "name"), _SAMPLES)
def test_strangers_change_nothing_of_it(offered: Cluster, kind: str, name: str) -> None:
    """Guards against a policy that asks about new objects only: whoever changes a good one may do all the same."""
    item = _plain(_ours(offered)[kind, name])
    item["metadata"] = {**item["metadata"], "labels": {"team": "x"}}
    arguments = (*_STRANGER, "--force-conflicts")
    assert "'cluster-egress-subjects'" in (offered.kubectl.refused(item, arguments=arguments) or "")


def _can(offered: Cluster, verb: str, resource: str, namespace: str, *who: str) -> bool:
    """What the API server's own review says of somebody's rights."""
    answer = offered.kubectl.run("auth", "can-i", verb, resource, "-n", namespace, *who, check=False)
    said = answer.stdout.strip().splitlines()[-1].partition(" ")[0]
    assert said in {"yes", "no"}, answer
    return said == "yes"


@pytest.mark.proves("admission", "platform subjects may write what backends are made of, in one namespace alone")
def test_platform_subjects_alone_have_the_right(offered: Cluster) -> None:
    """Guards against a role for everybody, or one that holds in the namespaces of teams."""
    ours = ("--as=somebody", "--as-group=platform-admins", "--as-group=system:authenticated")
    others = ("--as=somebody", "--as-group=system:authenticated")
    for resource in ("backends.gateway.envoyproxy.io", "securitypolicies.gateway.envoyproxy.io"):
        assert _can(offered, "create", resource, NAMESPACE, *ours)
        assert not _can(offered, "create", resource, "news", *ours)
        assert not _can(offered, "create", resource, NAMESPACE, *others)
    assert not _can(offered, "create", "envoypatchpolicies.gateway.envoyproxy.io", NAMESPACE, *ours)
    assert not _can(offered, "list", "secrets", NAMESPACE, *ours)


@pytest.mark.proves("admission", "Envoy Gateway reads the declared namespaces, and Secrets nowhere else")
def test_the_controller_reads_declared_namespaces_only(offered: Cluster) -> None:
    """Guards against a controller that reads the Secrets of every team, and whoever breaks into it with them."""
    assert _watched(offered) == [NAMESPACE, "monitoring", "shop"]
    namespaces = [item["metadata"]["name"] for item in offered.kubectl.list("namespaces")]
    read = {name for name in namespaces if _can(offered, "list", "secrets", name, f"--as={_CONTROLLER}")}
    assert read == set(_watched(offered))
    written = {name for name in namespaces if _can(offered, "create", "secrets", name, f"--as={_CONTROLLER}")}
    assert written <= {NAMESPACE}


def _watched(offered: Cluster) -> list[str]:
    """The namespaces that Envoy Gateway is told to watch."""
    config = offered.kubectl.get("configmap", "envoy-gateway-config", NAMESPACE)["data"]["envoy-gateway.yaml"]
    watch: Any = yaml.safe_load(config)["provider"]["kubernetes"]["watch"]
    assert watch["type"] == "Namespaces"
    return sorted(watch["namespaces"])
