"""What the real API server refuses, whoever asks and however: the ValidatingAdmissionPolicies on the cluster."""

import json
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from cli.check.corpus import judge_corpus
from tests.cluster.bed import addresses
from tests.cluster.bed.cluster import Cluster

_CORPORA: Final = [Path(__file__).parent.parent / "policy" / "corpus" / f"{name}.jsonl" for name in ("public", "own")]
_KINDS: Final = {
    "Backend",
    "EndpointSlice",
    "Endpoints",
    "EnvoyExtensionPolicy",
    "SecurityPolicy",
    "Service",
    "ServiceEntry",
    "WorkloadEntry",
    "WorkloadGroup",
}
CLAIMED: Final = {*(f"EGR{number}" for number in range(100, 111)), "EGR114", "EGR201"}
"""The rules that docs/admission.md says the policies hold in the cluster as well."""
NOT_SEEN: Final = {
    "whole public suffix": "the list of public suffixes is too long for a policy",
    "image registry on the controller's loopback": "images of Wasm are not asked about",
}
"""What the policies do not see of it, as the corpora put it, and why; docs/admission.md says so too."""
REFUSED_TOO: Final = {
    "public-ipv6-14": "CEL's ip() reads no IPv4-mapped address, so all of them are refused",
    "gap-public-ipv6-13": "the CRD's own schema takes no IPv4-mapped address",
}
"""Rows that are good and refused all the same."""
TENANT: Final = "tenant"
_NAMESPACE: Final = "tenants"
_REFUSED_BY: Final = re.compile(r"ValidatingAdmissionPolicy 'cluster-egress-\w+' .* denied request: (EGR\d+):")
_META: Final = {"name": "x", "namespace": _NAMESPACE}
_EG: Final = "gateway.envoyproxy.io/v1alpha1"
_ISTIO: Final = "networking.istio.io/v1"
_GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
_PUBLIC: Final = "93.184.215.14"
_TO_A_ROUTE: Final = {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "x"}]}
_KEYS: Final = {"credentialRefs": [{"name": "x"}], "extractFrom": [{"headers": ["x-api-key"]}]}
GOOD: Final[dict[str, dict[str, Any]]] = {
    "Backend": {
        "apiVersion": _EG,
        "spec": {
            "endpoints": [{"fqdn": {"hostname": "api.example.org", "port": 8443}}],
            "tls": {"wellKnownCACertificates": "System"},
        },
    },
    "EnvoyProxy": {"apiVersion": _EG, "spec": {}},
    "EnvoyPatchPolicy": {
        "apiVersion": _EG,
        "spec": {
            "type": "JSONPatch",
            "targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "x"},
            "jsonPatches": [
                {
                    "type": "type.googleapis.com/envoy.config.listener.v3.Listener",
                    "name": "x",
                    "operation": {"op": "remove", "path": "/x"},
                }
            ],
        },
    },
    "EnvoyExtensionPolicy": {
        "apiVersion": _EG,
        "spec": {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "x"}]},
    },
    "SecurityPolicy": {"apiVersion": _EG, "spec": {**_TO_A_ROUTE, "apiKeyAuth": _KEYS}},
    "BackendTrafficPolicy": {"apiVersion": _EG, "spec": _TO_A_ROUTE},
    "ClientTrafficPolicy": {
        "apiVersion": _EG,
        "spec": {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "x"}]},
    },
    "HTTPRouteFilter": {"apiVersion": _EG, "spec": {"directResponse": {"statusCode": 404}}},
    "Gateway": {
        "apiVersion": _GATEWAY_API,
        "spec": {
            "gatewayClassName": "cluster-egress",
            "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
        },
    },
    "ServiceEntry": {
        "apiVersion": _ISTIO,
        "spec": {
            "hosts": ["api.example.org"],
            "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
            "resolution": "DNS",
        },
    },
    "WorkloadEntry": {"apiVersion": _ISTIO, "spec": {"address": _PUBLIC}},
    "WorkloadGroup": {"apiVersion": _ISTIO, "spec": {"template": {"serviceAccount": "x"}}},
    "EnvoyFilter": {"apiVersion": "networking.istio.io/v1alpha3", "spec": {}},
    "Endpoints": {"apiVersion": "v1", "subsets": [{"addresses": [{"ip": _PUBLIC}], "ports": [{"port": 443}]}]},
    "EndpointSlice": {
        "apiVersion": "discovery.k8s.io/v1",
        "addressType": "IPv4",
        "endpoints": [{"addresses": [_PUBLIC]}],
        "ports": [{"port": 443}],
    },
    "Service": {"apiVersion": "v1", "spec": {"ports": [{"port": 443}], "externalIPs": [_PUBLIC]}},
}
"""A good object of every kind that only platform subjects may write."""

OURS: Final[dict[str, dict[str, Any]]] = {
    "Gateway": {"spec": {**GOOD["Gateway"]["spec"], "gatewayClassName": "of-others"}},
    "HTTPRoute": {"spec": {"hostnames": ["x.example.org"]}},
    "GRPCRoute": {"spec": {"hostnames": ["x.example.org"]}},
    "TLSRoute": {"spec": {"hostnames": ["x.example.org"], "rules": [{"backendRefs": [{"name": "x", "port": 443}]}]}},
    "TCPRoute": {"spec": {"rules": [{"backendRefs": [{"name": "x", "port": 443}]}]}},
    "ReferenceGrant": {
        "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "elsewhere"}],
            "to": [{"group": "", "kind": "Secret", "name": "x"}],
        }
    },
    "BackendTLSPolicy": {
        "spec": {
            "targetRefs": [{"group": "", "kind": "Service", "name": "x"}],
            "validation": {"hostname": "x.example.org", "wellKnownCACertificates": "System"},
        }
    },
}
"""A good object of every kind of Gateway API that only platform subjects may write where our Gateways stand."""


@pytest.fixture(scope="module")
def tenants(cluster: Cluster) -> Generator[Cluster]:
    """A namespace for objects that nobody stores, and an account that RBAC lets do everything."""
    rbac = "rbac.authorization.k8s.io"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": TENANT, "namespace": _NAMESPACE}}
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": TENANT},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": TENANT, "namespace": _NAMESPACE}],
    }
    cluster.kubectl.apply(namespace, account, binding)
    token = cluster.kubectl.run("create", "token", TENANT, "-n", _NAMESPACE).stdout.strip()
    cluster.control_plane.write_kubeconfig(TENANT, token)
    yield cluster
    cluster.kubectl.run("delete", "namespace", _NAMESPACE)
    cluster.kubectl.run("delete", "clusterrolebinding", TENANT)


@pytest.mark.proves("admission", "unsafe objects are refused, whoever writes them, for every class that is claimed")
def test_the_corpora_are_judged_as_they_are_labelled(tenants: Cluster) -> None:
    """Guards against expressions that compile and judge nothing, or everything."""
    rows = list(_rows())
    objects = [{**row["object"], "metadata": {**row["object"]["metadata"], "namespace": _NAMESPACE}} for row in rows]
    missed: list[str] = []
    refused: dict[str, str] = {}
    seen: set[str] = set()
    for row, (status, message) in zip(rows, tenants.dry_create(objects), strict=True):
        if row["verdict"] == "allow":
            if status >= 300:
                refused[row["id"]] = message
        elif row["rules"] & CLAIMED:
            if status < 300:
                missed.append(row["why"])
            elif (rule := _REFUSED_BY.search(message)) is not None:
                # Not always by the same rule: the policies refuse odd forms before they ask what these stand for.
                assert rule[1] in CLAIMED, f"{row['id']}: {message}"
                seen.add(rule[1])
    assert set(missed) == set(NOT_SEEN)
    assert {key: why for key, why in refused.items() if key not in REFUSED_TOO} == {}
    assert set(REFUSED_TOO) <= set(refused), "an explanation that is not needed any more"
    assert seen >= CLAIMED - {"EGR107"}, "a rule that no row of the corpora put to the test"


@pytest.mark.proves("admission", "unsafe objects are refused, whoever writes them, for every class that is claimed")
@pytest.mark.parametrize(
    "address", ["10.244.1.7", addresses.DNS_SERVICE, addresses.API_SERVER, addresses.node_address(0)]
)
def test_addresses_of_the_cluster_are_refused(tenants: Cluster, address: str) -> None:
    """Guards against the cluster's own ranges (EGR107, which no row of the corpora has) missing from the policies."""
    backend = {"apiVersion": _EG, "kind": "Backend", "metadata": _META}
    backend |= {"spec": {"endpoints": [{"ip": {"address": address, "port": 8443}}]}}
    entry = {"apiVersion": _ISTIO, "kind": "WorkloadEntry", "metadata": _META, "spec": {"address": address}}
    for status, message in tenants.dry_create([backend, entry]):
        assert status >= 400
        assert "denied request: EGR107" in message


@pytest.mark.proves(
    "admission",
    "good objects are refused from whoever is no platform subject, cluster-admin or not",
    kinds=(
        "ValidatingAdmissionPolicy.admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    ),
)
@pytest.mark.parametrize("kind", GOOD)
def test_a_good_object_is_refused_from_the_wrong_subject(tenants: Cluster, kind: str) -> None:
    """Guards against RBAC as the only guard: it only adds up, and `cluster-admin` may write everything."""
    item = {"kind": kind, "metadata": _META, **GOOD[kind]}
    ((status, message),) = tenants.dry_create([item])
    assert status == 201, message
    ((status, message),) = tenants.dry_create([item], user=TENANT)
    assert status == 403, message
    assert "ValidatingAdmissionPolicy 'cluster-egress-subjects'" in message


@pytest.mark.proves("admission", "where our Gateways stand nobody else writes routes, grants or Gateways")
@pytest.mark.parametrize("kind", OURS)
def test_gateway_api_is_for_everybody_but_where_it_is_ours(tenants: Cluster, kind: str) -> None:
    """Guards against a route, a grant or a Gateway beside ours, and against refusing teams their own."""
    item = {"apiVersion": _GATEWAY_API, "kind": kind, "metadata": _META, **OURS[kind]}
    ((status, message),) = tenants.dry_create([item], user=TENANT)
    assert status == 201, message
    for namespace in ("envoy-gateway-system", "istio-egress"):
        ours = {**item, "metadata": {**_META, "namespace": namespace}}
        ((status, message),) = tenants.dry_create([ours])
        assert status == 201, message
        ((status, message),) = tenants.dry_create([ours], user=TENANT)
        assert status == 403, message
        assert "ValidatingAdmissionPolicy 'cluster-egress-subjects'" in message


@pytest.mark.proves("admission", "where our Gateways stand nobody else writes routes, grants or Gateways")
def test_nobody_else_has_envoy_gateway_serve_another_class(tenants: Cluster) -> None:
    """Guards against proxies that look as somebody likes, and against refusing the classes of other controllers."""
    tenant = tenants.control_plane.kubectl(TENANT)
    ours = {"apiVersion": _GATEWAY_API, "kind": "GatewayClass", "metadata": {"name": "x"}}
    ours |= {"spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"}}
    assert "cluster-egress-subjects" in (tenant.refused(ours) or "")
    assert tenants.deployer.refused(ours) is None
    assert tenant.refused({**ours, "spec": {"controllerName": "example.org/controller"}}) is None


@pytest.mark.proves(
    "admission",
    "platform subjects may write what backends are made of, in Envoy Gateway's namespace alone",
    kinds=("Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io"),
)
def test_platform_subjects_can_mend_backends_by_hand(tenants: Cluster) -> None:
    """Guards against a role that nobody has, that is for everybody, or that holds beyond its namespace."""
    backend: dict[str, Any] = {"kind": "Backend", **GOOD["Backend"]}
    here = {**backend, "metadata": {"name": "x", "namespace": "envoy-gateway-system"}}
    elsewhere = {**backend, "metadata": _META}
    code = {"kind": "EnvoyPatchPolicy", **GOOD["EnvoyPatchPolicy"], "metadata": here["metadata"]}
    platform = ("--as=somebody", "--as-group=platform-admins", "--as-group=system:authenticated")
    assert tenants.kubectl.refused(here, arguments=platform) is None
    for item in (elsewhere, code):
        assert 'User "somebody" cannot' in (tenants.kubectl.refused(item, arguments=platform) or "")
    others = ("--as=somebody", "--as-group=system:authenticated")
    assert 'User "somebody" cannot' in (tenants.kubectl.refused(here, arguments=others) or "")


@pytest.mark.proves(
    "admission", "changes are judged like new objects; labels may change, and platform subjects may all"
)
def test_changes_are_judged_too(tenants: Cluster) -> None:
    """Guards against a policy that asks about new objects only: a good Backend that becomes a bad one."""
    good: dict[str, Any] = {"kind": "Backend", "metadata": _META, **GOOD["Backend"]}
    endpoint = {"ip": {"address": "169.254.169.254", "port": 8443}}
    bad: dict[str, Any] = {**good, "spec": {**good["spec"], "endpoints": [endpoint]}}
    labelled = {**good, "metadata": {**_META, "labels": {"team": "x"}}}
    tenant = tenants.control_plane.kubectl(TENANT)
    tenants.deployer.apply(good)
    try:
        assert "EGR102" in (tenants.deployer.refused(bad) or "")
        assert tenants.deployer.refused(labelled) is None
        assert "cluster-egress-subjects" in (tenant.refused(labelled, arguments=("--force-conflicts",)) or "")
        group = ("--as=somebody", "--as-group=platform-admins", "--as-group=system:masters", "--force-conflicts")
        assert tenants.kubectl.refused(labelled, arguments=group) is None
        nobody = ("--as=somebody", "--as-group=system:masters", "--force-conflicts")
        assert "cluster-egress-subjects" in (tenants.kubectl.refused(labelled, arguments=nobody) or "")
    finally:
        tenants.kubectl.run("delete", "backends.gateway.envoyproxy.io", "x", "-n", _NAMESPACE)


def _rows() -> Iterator[dict[str, Any]]:
    """The labelled objects that need no approval, each with the ids of the rules of the pack that it violates."""
    for path in _CORPORA:
        labelled = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        judged = {each.row.id: set(each.rules) for each in judge_corpus(path).rows}
        for row in labelled:
            if row["object"].get("kind") in _KINDS and not row.get("context"):
                yield {**row, "rules": judged[row["id"]]}
