"""Who gets a way to become somebody else (`rbac_identities`) by a binding, and how far that leads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policy.readers.rbac import CLUSTER_ROLE_BINDING, RoleBook
from policy.readers.rbac_bindings import Holder, binding_of
from policy.readers.rbac_identities import Reach, Taking
from policy.rule import Context, Subject

_GUARDED: Final = frozenset({"envoy-gateway-system", "istio-system", "kube-system"})
_GUARDED_PREFIX: Final = "istio-"
"""Istio's gateways run in `istio-ingress`, `istio-egress` and the like by its documentation."""


@dataclass(frozen=True, kw_only=True)
class Taker:
    """Somebody whom a binding gives a way to become somebody else."""

    holder: Holder
    power: str
    """The first of the ways, for messages."""
    is_at_will: bool
    """Whether nobody decided that: it is everybody, or a stranger to the gateways' or the control plane's namespace."""


def takers_of(subject: Subject, book: RoleBook, context: Context) -> Iterator[Taker]:
    """Those of `subject`, one of `BINDING_KINDS`, whom nobody approved and who are no part of the cluster.

    Who gets a role that opens the cluster, EGR602 says already. In an ordinary namespace its own teams may be anybody
    there.
    """
    binding = binding_of(subject, book)
    if binding.opens is not None:
        return
    namespace = subject.ref.namespace
    is_wide = subject.group_kind == CLUSTER_ROLE_BINDING
    is_guarded = not is_wide and (
        namespace in _GUARDED | context.gateway_namespaces or namespace.startswith(_GUARDED_PREFIX)
    )
    for holder in binding.holders:
        is_local = not is_wide and holder.is_of(namespace)
        if holder.is_root or holder.is_built_in or is_local or holder.text in context.grants.platform_subjects:
            continue
        reached = {Reach.EVERYWHERE}
        if is_wide:
            reached.add(Reach.CLUSTER)
        if is_guarded or is_wide:  # every namespace is the guarded ones too
            reached.add(Reach.GUARDED)
        if is_wide or is_guarded or holder.is_everybody:
            powers = [taking.power for taking in _ordered(binding.takings) if taking.reach in reached]
            if powers:
                yield Taker(holder=holder, power=powers[0], is_at_will=is_guarded or holder.is_everybody)


def _ordered(takings: tuple[Taking, ...]) -> list[Taking]:
    return sorted(takings, key=lambda taking: taking.reach is Reach.GUARDED)
