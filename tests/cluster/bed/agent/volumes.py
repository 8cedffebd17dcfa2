"""Volumes of pods as folders of this machine: secrets, config maps, tokens, the pod's own fields, empty folders."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.bed.agent.api import Api, Object

_TOKEN_SECONDS: Final = 3600 * 12


class NotThereYet(Exception):  # noqa: N818 - says what is, not what went wrong
    """Something that a pod needs does not exist yet."""


@dataclass(frozen=True, kw_only=True)
class Volumes:
    """The volumes of one pod, each a folder."""

    api: Api
    folder: Path

    def path(self, name: str) -> Path:
        """Where a volume is."""
        return self.folder / name

    def write(self, pod: Object) -> None:
        """Write every volume, or write it anew where its source has changed.

        Raises:
            NotThereYet: a source does not exist.
            ValueError: the agent does not know that kind of volume.
        """
        for volume in pod["spec"].get("volumes", []):
            folder = self.path(volume["name"])
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
            if "emptyDir" not in volume:
                for name, content in self._files(pod, volume, folder).items():
                    _write(folder / name, content)

    def _files(self, pod: Object, source: Object, folder: Path) -> Mapping[str, bytes]:
        if "projected" in source:
            each = [self._files(pod, part, folder) for part in source["projected"]["sources"]]
            return {name: content for files in each for name, content in files.items()}
        if "serviceAccountToken" in source:
            return self._token(pod, source["serviceAccountToken"], folder)
        if "downwardAPI" in source:
            items = source["downwardAPI"].get("items", [])
            return {item["path"]: pod_field(pod, item["fieldRef"]["fieldPath"]).encode() for item in items}
        for key, kind, named in (("secret", "secrets", "secretName"), ("configMap", "configmaps", "name")):
            if key in source:
                reference = source[key]
                data = self.data(pod, kind, reference.get(named, reference.get("name")), reference.get("optional"))
                items = reference.get("items")
                if items is None:
                    return data
                return {item["path"]: data[item["key"]] for item in items if item["key"] in data}
        raise ValueError(f"the agent does not know this kind of volume: {json.dumps(source)}")

    def data(self, pod: Object, kind: str, name: str, optional: bool | None) -> dict[str, bytes]:
        """The contents of a Secret or a ConfigMap.

        Raises:
            NotThereYet: it does not exist, and the pod cannot do without.
        """
        found = self.api.get(f"/api/v1/namespaces/{pod['metadata']['namespace']}/{kind}/{name}")
        if found is None and not optional:
            raise NotThereYet(f"{kind}/{name}")
        held: Mapping[str, str] = {} if found is None else (found.get("data") or {})
        if kind == "secrets":
            return {key: base64.b64decode(value) for key, value in held.items()}
        return {key: value.encode() for key, value in held.items()}

    def _token(self, pod: Object, source: Object, folder: Path) -> dict[str, bytes]:
        if (folder / source["path"]).exists():
            return {}
        account = pod["spec"].get("serviceAccountName", "default")
        namespace = pod["metadata"]["namespace"]
        return {source["path"]: self.api.token(namespace, account, source.get("audience"), _TOKEN_SECONDS).encode()}


def pod_field(pod: Object, path: str) -> str:
    """A field of the pod, as the downward API gives it."""
    if path in {"metadata.labels", "metadata.annotations"}:
        held: dict[str, str] = pod["metadata"].get(path.rpartition(".")[2]) or {}
        return "".join(f"{key}={json.dumps(value)}\n" for key, value in sorted(held.items()))
    name, _, key = path.partition("['")
    here: Any = pod
    for step in name.split("."):
        here = here.get(step) or {}
    value = here.get(key.removesuffix("']"), "") if key else here
    return value if isinstance(value, str) else ""


def _write(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.chmod(0o644)
    new.rename(path)
