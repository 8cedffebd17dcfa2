"""Folders of the node that an object mounts, and whose they are."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy.facts.sockets import owner_of, owners_within
from policy.readers.pods import POD_KINDS, pod_templates_of
from policy.reading import Node, Reader, root, shown
from policy.rule import Subject

PERSISTENT_VOLUME: Final = "core/PersistentVolume"
HOST_PATH_KINDS: Final = POD_KINDS | {PERSISTENT_VOLUME}
"""The kinds that `host_paths_of` knows."""

# What makes somebody else of the cluster, besides sockets (Kubernetes: PKI certificates; CNI: its two folders).
_KEYS: Final = (
    ("/etc/kubernetes", "the cluster's keys"),
    ("/var/lib/etcd", "etcd's data"),
    ("/etc/cni", "the network plugin"),
    ("/opt/cni", "the network plugin"),
    ("/root", "the node's administrator"),
    ("/home", "the node's users"),
)


@dataclass(frozen=True, kw_only=True)
class HostPath:
    """A folder or file of the node."""

    node: Node
    path: str
    """In its plain form."""

    @property
    def owners(self) -> tuple[str, ...]:
        """Whose it is, or whose lies in it, so that nobody else may have it; none for any other folder."""
        owner = owner_of(self.path)
        if owner is not None:
            return (owner,)
        keys = [whose for folder, whose in _KEYS if _holds(folder, self.path) or _holds(self.path, folder)]
        return tuple(dict.fromkeys((*owners_within(self.path), *keys)))


def host_paths_of(subject: Subject, reader: Reader) -> Iterator[HostPath]:
    """What `subject`, of one of `HOST_PATH_KINDS`, mounts of its node."""
    for node in _nodes(subject, reader):
        text = reader.text(node)
        if text is None:
            continue
        if not text.startswith("/") or ".." in text.split("/"):
            reader.report(node, f"{shown(text)} is no absolute path")
        else:
            # Two leading slashes mean the same as one on Linux, but normpath keeps them.
            yield HostPath(node=node, path=posixpath.normpath(f"/{text.lstrip('/')}"))


def _nodes(subject: Subject, reader: Reader) -> Iterator[Node]:
    if subject.group_kind == PERSISTENT_VOLUME:
        spec = reader.field(root(subject.whole), "spec")
        for key in ("hostPath", "local"):
            yield reader.field(spec, key, "path")
        return
    for template in pod_templates_of(subject, reader):
        for volume in reader.items(reader.field(template.spec, "volumes")):
            yield reader.field(volume, "hostPath", "path")


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
