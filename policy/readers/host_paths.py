"""Folders of the node that an object mounts, and whose they are."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy.facts.sockets import owner_of, owners_within
from policy.readers.containers import containers_in
from policy.readers.embedded_yaml import parsed
from policy.readers.envoy_gateway_config import PROXY_KINDS
from policy.readers.pods import POD_KINDS, PodTemplate, pod_templates_of
from policy.reading import Node, Reader, as_sequence, root, shown
from policy.rule import Subject

PERSISTENT_VOLUME: Final = "core/PersistentVolume"
HOST_PATH_KINDS: Final = POD_KINDS | {PERSISTENT_VOLUME}
"""The kinds that `host_paths_of` knows."""

# What makes somebody else of the cluster, besides sockets (Kubernetes: PKI certificates; CNI: its two folders).
_KEYS: Final = (
    ("/etc/kubernetes", "the cluster's keys"),
    ("/etc/rancher", "the cluster's keys"),
    ("/etc/ssh", "the node's keys"),
    ("/etc/shadow", "the node's passwords"),
    ("/etc/ssl/private", "the node's keys"),
    ("/root", "the node's administrator"),
    ("/var/lib/etcd", "etcd's data"),
    ("/etc/cni", "the network plugin"),
    ("/opt/cni", "the network plugin"),
)
# What the node runs, or reads to know what to run (FHS 3.0). Agents read there; to write there is to be the node.
_SYSTEM: Final = ("/bin", "/boot", "/etc", "/lib", "/lib64", "/sbin", "/usr", "/var/spool/cron")
_SYSTEM_FOR_ALL: Final = (
    "/etc/hostname",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/ssl/certs",
    "/etc/timezone",
    "/lib/modules",
    "/usr/lib/modules",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/src",
)
"""What of it pods mount every day, seldom marked as for reading only."""
_NODE: Final = "the node's own system"
_TEMPORARY: Final = "/tmp"  # noqa: S108 - everybody's: a socket in it is known by its own folder
_DEVICES: Final = frozenset({"/dev/dri", "/dev/fuse", "/dev/kvm", "/dev/shm"})  # noqa: S108
"""Devices that pods ordinarily mount, and that lead to nobody else's data."""
_LOGS: Final = "/var/lib/docker/containers"
"""Where Docker keeps the output of containers, which agents read."""
_SIDECAR_VOLUMES: Final = "sidecar.istio.io/userVolume"
"""The annotation with volumes for the sidecar, as JSON (istio/istio: injection-template.yaml)."""


@dataclass(frozen=True, kw_only=True)
class HostPath:
    """A folder or file of the node."""

    node: Node
    path: str
    """In its plain form."""
    is_ordinary: bool
    """Whether pods mount it every day for something harmless. Of a proxy nothing is."""
    is_read_only: bool
    """Whether it is mounted for reading only."""

    @property
    def owner(self) -> str | None:
        """Whose it is, so that nobody else may have it; None for a folder of nobody in particular."""
        if self.is_ordinary:
            return None
        keys = (whose for folder, whose in _KEYS if _holds(folder, self.path))
        return owner_of(self.path) or next(keys, None) or (_NODE if self._is_system else None)

    @property
    def _is_system(self) -> bool:
        if self.is_read_only or any(_holds(folder, self.path) for folder in _SYSTEM_FOR_ALL):
            return False
        return any(_holds(folder, self.path) for folder in _SYSTEM)

    @property
    def owners_within(self) -> tuple[str, ...]:
        """Whose lies in it, each once, where it is nobody's itself."""
        if self.is_ordinary or self.owner is not None:
            return ()
        keys = [whose for folder, whose in _KEYS if _holds(self.path, folder)]
        return tuple(dict.fromkeys((*owners_within(self.path), *keys)))


def host_paths_of(subject: Subject, reader: Reader) -> Iterator[HostPath]:
    """What `subject`, of one of `HOST_PATH_KINDS`, mounts of its node."""
    for node, is_read_only in _nodes(subject, reader):
        text = reader.text(node)
        if text is None:
            continue
        if not text.startswith("/") or ".." in text.split("/"):
            reader.report(node, f"{shown(text)} is no absolute path")
        else:
            # Two leading slashes mean the same as one on Linux, but normpath keeps them.
            path = posixpath.normpath(f"/{text.lstrip('/')}")
            is_ordinary = path == _TEMPORARY or _is_device(path) or (is_read_only and _holds(_LOGS, path))
            is_ordinary = is_ordinary and subject.group_kind not in PROXY_KINDS
            yield HostPath(node=node, path=path, is_ordinary=is_ordinary, is_read_only=is_read_only)


def _nodes(subject: Subject, reader: Reader) -> Iterator[tuple[Node, bool]]:
    """Where paths stand, and whether every container mounts them for reading only."""
    if subject.group_kind == PERSISTENT_VOLUME:
        spec = reader.field(root(subject.whole), "spec")
        for key in ("hostPath", "local"):
            yield reader.field(spec, key, "path"), False
        return
    for template in pod_templates_of(subject):
        for volume in reader.items(reader.field(template.spec, "volumes")):
            yield reader.field(volume, "hostPath", "path"), _is_read_only(template, volume)
        for volume in _added_volumes(reader, template):
            yield reader.field(volume, "hostPath", "path"), False


def _added_volumes(reader: Reader, template: PodTemplate) -> list[Node]:
    """What injection adds to the pod, listed one after the other or by name."""
    volumes = parsed(reader, reader.field(template.metadata, "annotations", _SIDECAR_VOLUMES))
    if volumes is None:
        return []
    if as_sequence(volumes.value) is not None:
        return reader.items(volumes)
    return [reader.field(volumes, f"{key}") for key in reader.mapping(volumes)]


def _is_read_only(template: PodTemplate, volume: Node) -> bool:
    # With a reader of its own: what is unreadable among the mounts leaves the volume one to write to.
    reader = Reader()
    name = reader.text(reader.field(volume, "name"))
    for container in containers_in(template, reader):
        for mount in reader.items(reader.field(container, "volumeMounts")):
            if reader.text(reader.field(mount, "name")) == name and reader.field(mount, "readOnly").value is not True:
                return False
    return name is not None and not reader.findings


def _is_device(path: str) -> bool:
    return any(_holds(device, path) for device in _DEVICES)


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
