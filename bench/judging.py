"""What judging costs with every rule, as ratios to decoding the same manifests."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from cli.check.reading import read_documents
from policy.registry import RULES, judge
from policy.rule import Context, Subject
from policy.subjects import subjects_of

_OBJECTS: Final = 10_000
_HOSTS: Final = 500
_REPEATS: Final = 3
_CONTEXT: Final = Context(today=dt.date(2026, 11, 23))


def judging() -> None:
    """Print a table: case, objects, decoding and judging in milliseconds, and the ratio of the two."""
    print(f"judged with {len(RULES)} rules      objects  decode ms  judge ms  judge/decode")
    for name, manifests in (
        ("Backends", _backends),
        ("mixed, as one stack", _mixed),
        ("routes and policies", _routes),
        ("roles and bindings", _roles),
        (f"one of {_HOSTS} hosts", _many_hosts),
        (f"one of {_HOSTS} addresses", _many_addresses),
    ):
        decoding, judged, objects = _measure(manifests)
        print(f"{name:24}  {objects:7}  {decoding * 1e3:9.1f}  {judged * 1e3:8.1f}  {judged / decoding:12.2f}")


def _measure(manifests: Callable[[int], Iterator[dict[str, Any]]]) -> tuple[float, float, int]:
    """The best of some runs; each with other names, because the pack remembers those that it has seen."""
    decoding, judged, objects = float("inf"), float("inf"), 0
    for run in range(_REPEATS):
        content = "\n---\n".join(json.dumps(manifest, indent=1) for manifest in manifests(run)).encode()
        start = time.perf_counter()
        documents = list(read_documents(content))
        decoded = time.perf_counter()
        subjects: list[Subject] = [subject for document in documents for subject in subjects_of(document.value)]
        violations = judge(subjects, _CONTEXT)
        end = time.perf_counter()
        if violations:
            raise SystemExit(f"what is measured should be clean: {violations[0]}")
        decoding, judged, objects = min(decoding, decoded - start), min(judged, end - decoded), len(subjects)
    return decoding, judged, objects


def _backends(run: int) -> Iterator[dict[str, Any]]:
    for number in range(_OBJECTS):
        yield _object(
            "gateway.envoyproxy.io/v1alpha1",
            "Backend",
            f"backend-{number}",
            {"endpoints": [{"fqdn": {"hostname": f"host-{number}.example-{run}.com", "port": 8080}}]},
        )


def _mixed(run: int) -> Iterator[dict[str, Any]]:
    backends = _backends(run)
    for number in range(_OBJECTS // 4):
        yield next(backends)
        yield _service_entry(f"entry-{number}", [f"api-{number}.example-{run}.com"])
        yield _object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            f"policy-{number}",
            {
                "podSelector": {"matchLabels": {"app": f"app-{number}"}},
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"ipBlock": {"cidr": f"47.96.{number % 250}.0/24"}}], "ports": [{"port": 443}]}],
            },
        )
        container = {"name": "web", "image": "registry.example.com/web:1"}
        yield _object(
            "apps/v1",
            "Deployment",
            f"web-{number}",
            {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
            },
        )


def _routes(run: int) -> Iterator[dict[str, Any]]:
    """Each route with a policy that finds it by a label of its own."""
    for number in range(_OBJECTS // 10):
        name, labels = f"route-{number}", {"app": f"app-{number}"}
        backend = {"group": "gateway.envoyproxy.io", "kind": "Backend", "name": name}
        spec: dict[str, Any] = {"parentRefs": [{"name": "edge"}], "hostnames": [f"{name}.example-{run}.com"]}
        spec["rules"] = [{"backendRefs": [backend]}]
        route = _object("gateway.networking.k8s.io/v1", "HTTPRoute", name, spec)
        route["metadata"]["labels"] = labels
        yield route
        selector = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "matchLabels": labels}
        users = {"basicAuth": {"users": {"name": "htpasswd"}}}
        yield _object(
            "gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", name, {"targetSelectors": [selector], **users}
        )


def _roles(run: int) -> Iterator[dict[str, Any]]:
    group = "rbac.authorization.k8s.io"
    for number in range(_OBJECTS // 10):
        name = f"reader-{run}-{number}"
        rules = [{"apiGroups": ["gateway.envoyproxy.io"], "resources": ["backends"], "verbs": ["get"]}]
        yield _object(f"{group}/v1", "ClusterRole", name, {}) | {"rules": rules}
        reference = {"apiGroup": group, "kind": "ClusterRole", "name": name}
        subjects = [{"kind": "User", "name": "bob"}]
        yield _object(f"{group}/v1", "RoleBinding", name, {}) | {"roleRef": reference, "subjects": subjects}


def _many_hosts(run: int) -> Iterator[dict[str, Any]]:
    yield _service_entry("many", [f"api-{number}.example-{run}.com" for number in range(_HOSTS)])


def _many_addresses(run: int) -> Iterator[dict[str, Any]]:
    addresses = [f"47.{96 + run}.{number // 250}.{number % 250}" for number in range(_HOSTS)]
    endpoints = [{"ip": {"address": address, "port": 8080}} for address in addresses]
    yield _object("gateway.envoyproxy.io/v1alpha1", "Backend", "many", {"endpoints": endpoints})


def _service_entry(name: str, hosts: list[str]) -> dict[str, Any]:
    ports = [{"number": 443, "name": "tls", "protocol": "TLS"}]
    spec = {"hosts": hosts, "location": "MESH_EXTERNAL", "ports": ports, "resolution": "DNS", "exportTo": ["."]}
    return _object("networking.istio.io/v1", "ServiceEntry", name, spec)


def _object(api_version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "apps"}, "spec": spec}
