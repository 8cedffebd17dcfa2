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


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/var/run/docker.sock", "Docker"),
        ("/run/docker.sock", "Docker"),
        ("/run/containerd/containerd.sock", "containerd"),
        ("/var/run/containerd", "containerd"),
        ("/var/run/crio/crio.sock", "CRI-O"),
        ("/var/lib/kubelet/device-plugins/kubelet.sock", "kubelet"),
        ("/etc/istio/proxy/XDS", "the Istio agent"),
        ("/var/run/secrets/workload-spiffe-uds/socket", "the pod's own identity"),
        ("/proc/1/root/run/a.sock", "the node's processes"),
        ("/run/docker.sock.evil", None),
        ("/run/dockers/a.sock", None),
        ("/var/run/grpc.sock", None),
        ("/var/run", None),
        ("/home/run/docker.sock", None),
    ],
)
def test_owners(path: str, owner: str | None) -> None:
    """Guards against a runtime's socket under its other name, and against matching by the start of a word."""
    assert owner_of(path) == owner


def test_a_folder_holds_what_lies_in_it() -> None:
    """Guards against mounting the parent of a socket's folder."""
    assert "Docker" in owners_within("/var/run")
    assert "containerd" in owners_within("/run/")
    assert "kubelet" in owners_within("/var")
    assert {"Docker", "kubelet", "the node's processes"} <= set(owners_within("/"))
    assert owners_within("/srv") == ()
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
