"""What no single value shows: do the parts of a declaration fit together?"""

from collections.abc import Iterator

from components.settings import ambient, asm, claims, flavours, outbound, upgrade
from components.settings.cloud import checks as cloud
from components.settings.offers import checks as offers
from components.settings.parts import Parts
from components.settings.problems import Path, Problem, did_you_mean
from components.settings.reserved import KUBERNETES_NAMESPACES


def check(parts: Parts, *, file: str) -> list[Problem]:
    """Every problem between the parts of a declaration."""
    found = [
        *_clients(parts),
        *offers.check(parts),
        *cloud.check(parts),
        *claims.check(parts),
        *outbound.check(parts),
        *upgrade.check(parts),
        *(asm.check(parts) if parts.flavour == "asm" else ()),
        *flavours.check(parts),
        *(ambient.check(parts) if parts.is_ambient else ()),
        *_secrets(parts),
        *_own_namespaces(parts),
        *_observers(parts),
    ]
    return [Problem(file=file, path=path, wrong=wrong, instead=instead) for path, wrong, instead in found]


_Found = Iterator[tuple[Path, str, str]]


def _clients(parts: Parts) -> _Found:
    if parts.namespaces is None:
        return
    for name in sorted(KUBERNETES_NAMESPACES - {"default"}):
        if parts.namespaces.get(name) == "client":
            yield (
                ("cluster", "namespaces", name, "role"),
                f"namespace `{name}` is Kubernetes' own: locked down, it would cut the whole cluster's DNS",
                "`platform`, or leave the namespace out",
            )
    known = {name for name, role in parts.namespaces.items() if role == "client"}
    for name, destination in parts.destinations.items():
        for namespace in destination.clients:
            path = ("destinations", name, "clients", namespace)
            if namespace not in parts.namespaces:
                yield (
                    path,
                    f"namespace `{namespace}` is not under cluster.namespaces",
                    did_you_mean(namespace, known),
                )
            elif parts.namespaces[namespace] == "platform":
                yield (
                    path,
                    f"namespace `{namespace}` has the role `platform`, so it is not locked to its destinations",
                    f"`role: client` at cluster.namespaces.{namespace}, or another namespace",
                )


def _secrets(parts: Parts) -> _Found:
    registry = parts.chart_registry
    if registry is not None and registry.password_secret not in parts.secrets:
        yield (
            ("install", "chartRegistry", "passwordSecret"),
            f"there is no `{registry.password_secret}` under secrets",
            f"`pulumi config set --secret --path secrets.{registry.password_secret}`, or a name that is there",
        )


def _own_namespaces(parts: Parts) -> _Found:
    """Ours are created and deleted with the stack, so none of them may be a declared one, or Kubernetes' own."""
    taken = dict.fromkeys(KUBERNETES_NAMESPACES, "Kubernetes' own")
    taken |= dict.fromkeys(parts.namespaces or (), "under cluster.namespaces")
    for path, namespace in parts.own_namespaces.items():
        if namespace in taken:
            yield path, f"namespace `{namespace}` is {taken[namespace]} already", "a namespace of its own"
        taken[namespace] = "one of ours"


def _observers(parts: Parts) -> _Found:
    """Logs, spans and authorizers tell of everybody's requests, and alerts name clients: none is a client's own."""
    ours = set(parts.own_namespaces.values())
    for path, namespace in parts.observers.items():
        if (parts.namespaces or {}).get(namespace) == "client":
            yield (
                path,
                f"namespace `{namespace}` has the role `client`, and whoever works there could watch the others, "
                "or silence this",
                "a namespace of those who run the cluster, for example `monitoring`",
            )
        elif namespace in ours:
            yield (
                path,
                f"namespace `{namespace}` is one of ours, and goes with the stack",
                "the namespace of your monitoring, which is there already",
            )
