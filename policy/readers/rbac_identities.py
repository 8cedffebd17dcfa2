"""Which roles let their holders act as somebody else: as a ServiceAccount, as a pod that runs, as a node."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

_ANY: Final = "*"


class Reach(Enum):
    """Where a way to become somebody else counts."""

    EVERYWHERE = "in any namespace"
    CLUSTER = "only across the whole cluster: the resource has no namespace"
    GUARDED = "in the namespaces of gateways and control planes, whose configuration and pods lie there"


@dataclass(frozen=True, kw_only=True)
class Taking:
    """One way to become somebody else."""

    power: str
    """What it lets somebody do, for messages."""
    reach: Reach


_CONNECT: Final = frozenset({"create", "get"})  # over a WebSocket the verb is get (Kubernetes: authorization)
_READ: Final = frozenset({"get", "list", "watch"})
_WRITE: Final = frozenset({"create", "update", "patch"})
_CHANGE: Final = frozenset({"update", "patch"})
_RUNS: Final = tuple(("apps", kind) for kind in ("daemonsets", "deployments", "replicasets", "statefulsets"))
_JOBS: Final = (("batch", "cronjobs"), ("batch", "jobs"))
_CONFIGS: Final = frozenset({"coredns", "envoy-gateway-config", "kube-proxy"})
"""ConfigMaps that say where traffic goes; besides Istio's, which begin with its name."""

_TAKING: Final[Mapping[tuple[str, str], tuple[str, frozenset[str], Reach]]] = MappingProxyType(
    {
        ("", "serviceaccounts"): ("impersonate ServiceAccounts", frozenset({"impersonate"}), Reach.EVERYWHERE),
        ("", "serviceaccounts/token"): ("get tokens of ServiceAccounts", frozenset({"create"}), Reach.EVERYWHERE),
        ("", "pods/exec"): ("run commands in pods", _CONNECT, Reach.EVERYWHERE),
        ("", "pods/attach"): ("attach to pods", _CONNECT, Reach.EVERYWHERE),
        ("", "pods/portforward"): ("reach the ports of pods", _CONNECT, Reach.EVERYWHERE),
        ("", "pods/ephemeralcontainers"): ("add containers to pods", _CHANGE, Reach.EVERYWHERE),
        ("", "secrets"): ("read or write Secrets", _READ | _WRITE, Reach.EVERYWHERE),
        ("", "nodes/proxy"): ("use the kubelets", _CONNECT | _CHANGE, Reach.CLUSTER),
        ("certificates.k8s.io", "certificatesigningrequests/approval"): (
            "approve certificates",
            _CHANGE,
            Reach.CLUSTER,
        ),
        ("", "configmaps"): ("change ConfigMaps", _CHANGE, Reach.GUARDED),
        ("", "pods"): ("start pods", frozenset({"create"}), Reach.GUARDED),
        **dict.fromkeys((*_RUNS, *_JOBS), ("start pods", _WRITE, Reach.GUARDED)),
    }
)


def takings_of(
    groups: frozenset[str], resources: frozenset[str], verbs: frozenset[str], objects: frozenset[str]
) -> tuple[Taking, ...]:
    """The ways to become somebody else that one rule of a role gives.

    Args:
        groups: its `apiGroups`.
        resources: its `resources`.
        verbs: its `verbs`.
        objects: its `resourceNames`, empty for every object.
    """
    found: list[Taking] = []
    for (group, resource), (power, wanted, reach) in _TAKING.items():
        plural, _, part = resource.partition("/")
        spellings = {_ANY, resource, f"{_ANY}/{part}"} if part != "" else {_ANY, plural}
        named_away = resource == "configmaps" and objects != frozenset() and not any(map(_is_config, objects))
        if (
            not groups.isdisjoint({group, _ANY})
            and not resources.isdisjoint(spellings)
            and not verbs.isdisjoint(wanted | {_ANY})
            and not named_away
        ):
            found.append(Taking(power=power, reach=reach))
    return tuple(found)


BUILT_IN: Final = (
    Taking(power="run commands in pods, read Secrets and impersonate ServiceAccounts", reach=Reach.EVERYWHERE),
)
"""What the built-in ClusterRoles `admin` and `edit` give (Kubernetes: user-facing roles)."""


def _is_config(name: str) -> bool:
    return name == "" or name in _CONFIGS or name.startswith("istio")
