"""The order in which resources can be applied by hand."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from cli.offline.records import Registration

RELEASE_TYPE: Final = "kubernetes:helm.sh/v3:Release"
_NAMESPACES: Final = ("kubernetes:core/v1:Namespace", "kubernetes:core/v1:NamespacePatch")
_DEFINITION: Final = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


def in_order(registrations: Sequence[Registration]) -> list[Registration]:
    """Kubernetes objects and Helm releases, each after everything that it depends on.

    Of those that are ready, namespaces come first, then charts and definitions (they bring the kinds that others
    use), then the rest, each in the order of registration: the same program always gives the same order.

    Args:
        registrations: all of a preview; a dependency on a component means all that is below it.
    """
    place = {registration.urn: index for index, registration in enumerate(registrations)}
    chosen = {r.urn: r for r in registrations if is_kubernetes(r)}
    below = _descendants(registrations)
    waiting: dict[str, set[str]] = {
        urn: {need for need in _needs(registration, below) if need in chosen and need != urn}
        for urn, registration in chosen.items()
    }
    users: defaultdict[str, list[str]] = defaultdict(list)
    for urn, needs in waiting.items():
        for need in needs:
            users[need].append(urn)
    ready = [(_rank(chosen[urn]), place[urn], urn) for urn, needs in waiting.items() if not needs]
    heapq.heapify(ready)
    ordered: list[Registration] = []
    while ready:
        urn = heapq.heappop(ready)[2]
        ordered.append(chosen[urn])
        for user in users[urn]:
            waiting[user].discard(urn)
            if not waiting[user]:
                heapq.heappush(ready, (_rank(chosen[user]), place[user], user))
    if len(ordered) != len(chosen):
        stuck = sorted(urn for urn, needs in waiting.items() if needs)
        msg = f"resources depend on each other in a circle: {', '.join(stuck)}"
        raise ValueError(msg)
    return ordered


def is_kubernetes(registration: Registration) -> bool:
    """Whether this is an object of a cluster or a Helm release: not a component, a provider or a cloud resource."""
    return registration.custom and registration.type.startswith("kubernetes:")


def _rank(registration: Registration) -> int:
    if registration.type in _NAMESPACES:
        return 0
    return 1 if registration.type in {RELEASE_TYPE, _DEFINITION} else 2


def _needs(registration: Registration, below: dict[str, list[str]]) -> Iterable[str]:
    named = [*registration.dependencies]
    for urns in registration.property_dependencies.values():
        named += urns
    if registration.parent is not None:
        # A component is a parent without an object of its own; what is below it does not wait for itself.
        yield registration.parent
    for urn in named:
        yield urn
        if registration.urn not in below.get(urn, ()):
            yield from below.get(urn, ())


def _descendants(registrations: Sequence[Registration]) -> dict[str, list[str]]:
    """All that is below each component."""
    parents = {registration.urn: registration.parent for registration in registrations}
    components = {registration.urn for registration in registrations if not registration.custom}
    below: defaultdict[str, list[str]] = defaultdict(list)
    for registration in registrations:
        parent = registration.parent
        while parent is not None:
            if parent in components:
                below[parent].append(registration.urn)
            parent = parents.get(parent)
    return below
