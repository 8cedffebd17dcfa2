"""What a plan is made of: Kubernetes objects and Helm releases as frozen plain values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from components.settings.types import Answerable

MANAGED_BY: Final[Mapping[str, str]] = {"app.kubernetes.io/managed-by": "cluster-egress"}
"""On every object of ours."""
DECLARATION: Final = "cluster-egress/declaration"
"""The annotation that says who answers for what an object opens: JSON, entry -> owner, ticket, expires."""
ROLE: Final = "cluster-egress/role"
"""The label of a declared namespace: `client` or `platform`."""

Plain = Mapping[str, Any]
"""JSON-like values, as Kubernetes takes them."""


@dataclass(frozen=True, kw_only=True)
class KubeObject:
    """One Kubernetes object, whole but for what the API server adds."""

    api_version: str
    kind: str
    name: str
    spec: Plain
    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def metadata(self) -> dict[str, Any]:
        """The object's `metadata`, with our label."""
        metadata: dict[str, Any] = {"name": self.name, "labels": {**MANAGED_BY, **self.labels}}
        if self.namespace is not None:
            metadata["namespace"] = self.namespace
        if self.annotations:
            metadata["annotations"] = dict(self.annotations)
        return metadata


@dataclass(frozen=True, kw_only=True)
class ConfigMap:
    """A ConfigMap, which has no `spec`."""

    name: str
    namespace: str
    data: Mapping[str, str]

    @property
    def metadata(self) -> dict[str, Any]:
        """The object's `metadata`, with our label."""
        return {"name": self.name, "namespace": self.namespace, "labels": dict(MANAGED_BY)}


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who has rights."""

    kind: str
    """`User`, `Group` or `ServiceAccount`."""
    name: str
    namespace: str | None
    """Of a ServiceAccount."""


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What some may do in one namespace: a Role, and the RoleBinding of the same name. Neither has a `spec`."""

    name: str
    namespace: str
    verbs: tuple[str, ...]
    resources: Mapping[str, tuple[str, ...]]
    """What may be done with, by API group."""
    holders: tuple[Holder, ...]

    @property
    def metadata(self) -> dict[str, Any]:
        """The objects' `metadata`, with our label."""
        return {"name": self.name, "namespace": self.namespace, "labels": dict(MANAGED_BY)}


@dataclass(frozen=True, kw_only=True)
class NamespaceLabels:
    """Labels for a namespace that exists already."""

    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Release:
    """A Helm release. `password_secret` names the chart registry's password among the stack's secrets."""

    name: str
    namespace: str
    chart: str
    version: str
    values: Plain
    crds: bool = False
    """The chart has a folder `crds`, and those are ours: Helm installs them once and never upgrades them."""
    username: str | None = None
    password_secret: str | None = None


def declaration(entries: Mapping[str, Answerable]) -> str:
    """Who answers for these entries: the JSON of the annotation `DECLARATION`."""
    return json.dumps(
        {
            name: {"owner": entry.owner, "ticket": entry.ticket, "expires": entry.expires.isoformat()}
            for name, entry in entries.items()
        },
        sort_keys=True,
    )
