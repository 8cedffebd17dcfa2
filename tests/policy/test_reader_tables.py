"""The tables of the readers of roles and of mounts, row by row, against literal lists."""

from typing import Any

import pytest

from policy.readers.host_paths import host_paths_of
from policy.readers.rbac import OPENING, role_of
from policy.reading import Reader
from policy.subjects import subjects_of

CREATE, UPDATE, PATCH = "create", "update", "patch"
DELETE, DELETE_ALL = "delete", "deletecollection"
WRITE = {CREATE, UPDATE, PATCH}
CHANGE = {*WRITE, DELETE, DELETE_ALL}
RISE = {"bind", "escalate"}
VERBS = {"get", "list", "watch", *CHANGE, *RISE, "impersonate", "use", "approve"}
GATEWAY, ISTIO, ADMISSION = "gateway.envoyproxy.io", "networking.istio.io", "admissionregistration.k8s.io"
ASM = "istio.alibabacloud.com"
ROWS: list[tuple[str, str, set[str], str]] = [
    ("", "endpoints", WRITE, "write endpoints"),
    ("discovery.k8s.io", "endpointslices", WRITE, "write discovery.k8s.io/endpointslices"),
    (GATEWAY, "backends", WRITE, "write gateway.envoyproxy.io/backends"),
    (GATEWAY, "envoyextensionpolicies", WRITE, "write gateway.envoyproxy.io/envoyextensionpolicies"),
    (GATEWAY, "envoypatchpolicies", WRITE, "write gateway.envoyproxy.io/envoypatchpolicies"),
    (GATEWAY, "envoyproxies", WRITE, "write gateway.envoyproxy.io/envoyproxies"),
    (ASM, "asmegresstrafficpolicies", WRITE, "write istio.alibabacloud.com/asmegresstrafficpolicies"),
    ("alibabacloud.com", "podeips", WRITE, "write alibabacloud.com/podeips"),
    ("network.alibabacloud.com", "podnetworkings", WRITE, "write network.alibabacloud.com/podnetworkings"),
    (ASM, "istiogateways", WRITE, "write istio.alibabacloud.com/istiogateways"),
    ("extensions.istio.io", "trafficextensions", WRITE, "write extensions.istio.io/trafficextensions"),
    ("extensions.istio.io", "wasmplugins", WRITE, "write extensions.istio.io/wasmplugins"),
    (ISTIO, "proxyconfigs", WRITE, "write networking.istio.io/proxyconfigs"),
    (ISTIO, "envoyfilters", WRITE, "write networking.istio.io/envoyfilters"),
    (ISTIO, "serviceentries", WRITE, "write networking.istio.io/serviceentries"),
    (ISTIO, "workloadentries", WRITE, "write networking.istio.io/workloadentries"),
    (ISTIO, "workloadgroups", WRITE, "write networking.istio.io/workloadgroups"),
    (ISTIO, "sidecars", CHANGE, "write networking.istio.io/sidecars"),
    (ADMISSION, "mutatingwebhookconfigurations", CHANGE, f"write {ADMISSION}/mutatingwebhookconfigurations"),
    (ADMISSION, "validatingadmissionpolicies", CHANGE, f"write {ADMISSION}/validatingadmissionpolicies"),
    (ADMISSION, "validatingadmissionpolicybindings", CHANGE, f"write {ADMISSION}/validatingadmissionpolicybindings"),
    (ADMISSION, "validatingwebhookconfigurations", CHANGE, f"write {ADMISSION}/validatingwebhookconfigurations"),
    ("rbac.authorization.k8s.io", "clusterroles", RISE, "give itself rbac.authorization.k8s.io/clusterroles"),
    ("rbac.authorization.k8s.io", "roles", RISE, "give itself rbac.authorization.k8s.io/roles"),
    ("", "groups", {"impersonate"}, "impersonate groups"),
    ("", "users", {"impersonate"}, "impersonate users"),
]
KEYS = [
    ("/etc/kubernetes", "the cluster's keys"),
    ("/var/lib/etcd", "etcd's data"),
    ("/etc/cni", "the network plugin"),
    ("/opt/cni", "the network plugin"),
]


def _powers(rule: dict[str, Any]) -> list[tuple[str, bool]]:
    whole = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "a"}, "rules": [rule]}
    role = role_of(subjects_of(whole)[0])
    assert role.unreadable == ()
    return [(grant.power, grant.by_wildcard) for grant in role.grants]


@pytest.mark.parametrize(("group", "resource", "opening", "power"), ROWS)
def test_what_opens_the_cluster(group: str, resource: str, opening: set[str], power: str) -> None:
    """Guards against losing a row or a verb of it, and against verbs that open nothing."""
    for verb in VERBS:
        rule = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        assert _powers(rule) == ([(power, False)] if verb in opening else []), verb
    assert _powers({"apiGroups": [group], "resources": [resource], "verbs": ["*"]}) == [(power, False)]
    assert _powers({"apiGroups": [group], "resources": [f"{resource}/status"], "verbs": ["*"]}) == []
    assert _powers({"apiGroups": ["example.com"], "resources": [resource], "verbs": ["*"]}) == []


def test_nothing_else_opens_the_cluster() -> None:
    """Guards against a row that is not tested here."""
    assert dict(OPENING) == {(group, resource): frozenset(opening) for group, resource, opening, _ in ROWS}


SYSTEM = "the node's own system"
"""Whose everything else is in /etc, of a PersistentVolume that can be written to."""


def _mounted(path: str) -> tuple[str | None, tuple[str, ...]]:
    volume = {"spec": {"hostPath": {"path": path}}}
    whole = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "a"}} | volume
    reader = Reader()
    (mounted,) = host_paths_of(subjects_of(whole)[0], reader)
    assert reader.findings == []
    return mounted.owner, mounted.owners_within


@pytest.mark.parametrize(("path", "owner"), [*KEYS, ("/run/containerd", "containerd"), ("/var/lib/kubelet", "kubelet")])
def test_mounts_that_are_somebodys(path: str, owner: str) -> None:
    """Guards against losing a row, and against what lies in a folder, or above it, being nobody's."""
    assert _mounted(path) == (owner, ())
    assert _mounted(f"{path}/a/") == (owner, ())
    folder = path.rpartition("/")[0]
    outside = SYSTEM if folder == "/etc" else None
    assert _mounted(f"{path}2") == (outside, ())
    above, within = _mounted(folder)
    assert (above, owner in within) == (outside, outside is None)


@pytest.mark.parametrize(
    "path",
    [
        "/dev/dri",
        "/dev/dri/card0",
        "/dev/fuse",
        "/dev/kvm",
        "/dev/shm",  # noqa: S108
        "/tmp",  # noqa: S108
        "/home",
        "/home/app",
        "/lib/modules",
        "/var/log",
        "/srv",
    ],
)
def test_ordinary_mounts(path: str) -> None:
    """Guards against noise about what pods mount every day."""
    assert _mounted(path) == (None, ())


@pytest.mark.parametrize("path", ["/dev", "/dev/mem", "/dev/sda", "/dev/kvm2"])
def test_other_devices(path: str) -> None:
    """Guards against a whole disk or the node's memory beside the few ordinary devices."""
    assert _mounted(path) == ("the node's devices", ())
