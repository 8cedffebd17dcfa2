"""Paths of unix sockets: which are plain, and whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.facts.sockets import MAX_PATH, owner_of, owners_within, parse_socket_path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "docker.sock",
        "@admin",
        "/run/../docker.sock",
        "/run/./a.sock",
        "/run//a.sock",
        "/run/a.sock/",
        "/run/a b.sock",
        "/run/a.sock\0.approved",
        "/run/a.sock\n",
        "/run/\uff41.sock",
        "/" + "x" * MAX_PATH,
    ],
)
def test_what_is_not_plain_is_refused(text: str) -> None:
    """Guards against a path that the kernel reads differently from whoever approved it."""
    with pytest.raises(ValueError, match="plain form"):
        parse_socket_path(text)


def test_plain_paths_are_read_as_they_are() -> None:
    """Guards against refusing what people really use."""
    for text in ("/run/ext-proc/extproc.sock", "/a", "/" + "x" * (MAX_PATH - 1), "/..a/b..c/.d"):
        assert parse_socket_path(text) == text


OWNERS = [
    ("/run/docker", "Docker"),
    ("/run/docker.sock", "Docker"),
    ("/run/dockershim.sock", "Docker"),
    ("/run/cri-dockerd.sock", "Docker"),
    ("/run/containerd", "containerd"),
    ("/run/crio", "CRI-O"),
    ("/run/podman", "Podman"),
    ("/run/k3s", "k3s"),
    ("/run/k0s", "k0s"),
    ("/run/buildkit", "BuildKit"),
    ("/run/kata-containers", "Kata Containers"),
    ("/run/vc", "Kata Containers"),
    ("/run/user", "somebody's session"),
    ("/run/systemd", "systemd"),
    ("/run/dbus", "D-Bus"),
    ("/run/cilium", "Cilium"),
    ("/run/calico", "Calico"),
    ("/run/cni", "the CNI"),
    ("/run/netns", "other network namespaces"),
    ("/run/terway", "Terway"),
    ("/run/eni", "Terway"),
    ("/run/secrets", "the pod's own identity"),
    ("/run/spire", "SPIRE"),
    ("/run/spire-agent", "SPIRE"),
    ("/tmp/spire-agent", "SPIRE"),  # noqa: S108 - SPIRE's default, not a file of ours
    ("/tmp/spire-server", "SPIRE"),  # noqa: S108
    ("/etc/istio", "the Istio agent"),
    ("/var/lib/istio", "the Istio agent"),
    ("/var/lib/kubelet", "kubelet"),
    ("/var/lib/docker", "Docker"),
    ("/var/lib/containerd", "containerd"),
    ("/var/lib/containers", "Podman"),
    ("/var/lib/rancher", "k3s"),
    ("/dev", "the node's devices"),
    ("/proc", "the node's processes"),
    ("/sys", "the node's kernel"),
]
"""Every folder and socket that is somebody's."""


@pytest.mark.parametrize(("path", "owner"), OWNERS)
def test_owners(path: str, owner: str) -> None:
    """Guards against losing a row, and against what lies in a folder being nobody's."""
    assert owner_of(path) == owner
    assert owner_of(f"{path}/a.sock") == owner
    assert owner_of(f"{path}-2") is None
    assert owner_of(f"/srv{path}") is None


@pytest.mark.parametrize(("path", "owner"), [row for row in OWNERS if row[0].startswith("/run/")])
def test_var_run_is_run(path: str, owner: str) -> None:
    """Guards against a runtime's socket under its other name."""
    assert owner_of(f"/var{path}") == owner
    assert owner_of(f"/var{path}/a.sock") == owner


@pytest.mark.parametrize(
    "path",
    [
        "/lib",
        "/lib/docker",
        "/lib/kubelet",
        "/lib/modules",
        "/run",
        "/run/docker.sock.evil",
        "/run/dockers/a.sock",
        "/tmp",  # noqa: S108 - the folder itself is nobody's
        "/var",
        "/var/lib",
        "/var/run",
        "/var/run/grpc.sock",
        "/var/runner/docker.sock",
        "/var/tmp/spire-agent",  # noqa: S108
        "/home/run/docker.sock",
    ],
)
def test_nobodys(path: str) -> None:
    """Guards against matching by the start of a word, and against links that are none: only /var/run is one."""
    assert owner_of(path) is None


@pytest.mark.parametrize(
    ("folder", "owners"),
    [
        ("/var/lib", ("the Istio agent", "kubelet", "Docker", "containerd", "Podman", "k3s")),
        ("/tmp", ("SPIRE",)),  # noqa: S108
        ("/etc", ("the Istio agent",)),
        ("/lib", ()),
        ("/run/docker.sock", ()),
        ("/ru", ()),
    ],
)
def test_owners_within(folder: str, owners: tuple[str, ...]) -> None:
    """Guards against a folder that holds more or less than lies in it."""
    assert owners_within(folder) == owners


def test_every_owner_has_something_at_the_top() -> None:
    """Guards against a row that no parent shows, and against one that is not tested here."""
    assert owners_within("/") == tuple(dict.fromkeys(owner for _, owner in OWNERS))
    assert owners_within("/var/run") == owners_within("/run")
    assert set(owners_within("/var")) == set(owners_within("/run")) | set(owners_within("/var/lib"))


def test_a_folder_holds_what_lies_in_it() -> None:
    """Guards against mounting the parent of a socket's folder."""
    assert "Docker" in owners_within("/var/run")
    assert "containerd" in owners_within("/run/")
    assert "kubelet" in owners_within("/var")
    assert {"Docker", "kubelet", "the node's processes"} <= set(owners_within("/"))
    assert owners_within("/srv") == ()
    assert owners_within("/runX") == owners_within("/runXX/") == ()
    assert owners_within("/run/ext-proc") == ()
    assert len(owners_within("/")) == len(set(owners_within("/")))


@given(st.text())
def test_any_text_has_one_reading_or_none(text: str) -> None:
    """Guards against a crash, and against a reading that differs from what is written."""
    try:
        assert parse_socket_path(text) == text
    except ValueError:
        return
    assert owner_of(text) is None or owner_of(text) != ""
