"""Unix sockets: strict reading of their paths, and those that give away the node or the mesh."""

import re
from typing import Final

MAX_PATH: Final = 107
"""Characters: unix(7) has room for 108 bytes, the last of them NUL."""

_PART = re.compile(r"[A-Za-z0-9._-]+")
_DOTS = frozenset({".", ".."})
_RUN: Final = "/run/"

# `/var/run` is a link to `/run` on every current distribution (FHS 3.0), so it is compared as that.
_OWNED: Final = (
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
)


def parse_socket_path(text: str) -> str:
    """Read the path of a socket in its one plain form.

    Raises:
        ValueError: anything else: a relative path, an abstract socket (`@name`), `.`, `..` or an empty part, other
            characters than letters, digits, `.`, `_` and `-`, or more than `MAX_PATH` characters.
    """
    first, *parts = text.split("/")
    plain = first == "" and parts != [] and all(_PART.fullmatch(part) and part not in _DOTS for part in parts)
    if not plain or len(text) > MAX_PATH:
        raise ValueError(f"{text!r} is not the absolute path of a socket in its plain form")
    return text


def owner_of(path: str) -> str | None:
    """Whom a socket or folder belongs to that nobody else may reach, None if it is of no such.

    Args:
        path: as `parse_socket_path` gives it; a folder counts as what lies in it, and as what it lies in.
    """
    short = _short(path)
    for owned, owner in _OWNED:
        if short == owned or short.startswith(f"{owned}/"):
            return owner
    return None


def owners_within(folder: str) -> tuple[str, ...]:
    """Whose sockets lie in `folder` or below it, each once, without those of `owner_of`; `/` holds every one."""
    prefix = _short(folder).rstrip("/") + "/"
    below = [
        owner
        for owned, owner in _OWNED
        if owned.startswith(prefix) or (owned.startswith(_RUN) and f"/var{owned}".startswith(prefix))
    ]
    return tuple(dict.fromkeys(below))


def _short(path: str) -> str:
    return path.removeprefix("/var") if f"{path}/".startswith(f"/var{_RUN}") else path
