"""Listeners of Gateways that let in only clients with a certificate (ClientTrafficPolicy: tls.clientValidation)."""

from collections.abc import Iterable

from policy.readers.listeners import listeners_of
from policy.readers.policy_targets import Attachments, Fit
from policy.readers.routes import Parent
from policy.reading import Reader, is_empty, root
from policy.rule import Subject

CLIENT_TRAFFIC_POLICY = "gateway.envoyproxy.io/ClientTrafficPolicy"
REQUIRED_MODE = "RequireAndVerify"
"""The mode that keeps clients without a valid certificate out (api/v1alpha1/tls_types.go); the default."""


class CertificateGuards:
    """The Gateways and ClientTrafficPolicies of a stack."""

    def __init__(self, gateways: Iterable[Subject], policies: Iterable[Subject]) -> None:
        self._gateways = {(gateway.ref.namespace, gateway.ref.name): gateway for gateway in gateways}
        self._attachments = Attachments(policies)
        self._guarded: dict[tuple[Parent, str], bool] = {}

    def guard(self, parent: Parent, kind: str) -> bool:
        """Whether every listener that a route may be on demands a certificate. Gateways elsewhere are not known.

        Args:
            parent: what the route attaches to.
            kind: the route's, with its group.
        """
        # Many routes share few parents.
        if (parent, kind) not in self._guarded:
            self._guarded[parent, kind] = self._guard(parent, kind)
        return self._guarded[parent, kind]

    def _guard(self, parent: Parent, kind: str) -> bool:
        gateway = self._gateways.get((parent.namespace, parent.name))
        if gateway is None or parent.kind != "Gateway":
            return False
        found = self._attachments.on(kind=parent.kind, namespace=parent.namespace, name=parent.name, subject=gateway)
        meant = listeners_of(gateway, parent, kind)
        for listener in meant:
            # A policy for the listener takes the place of the Gateway's.
            own = [each for each in found if each.section == listener.name] or [
                each for each in found if each.section == ""
            ]
            demanded = bool(own) and all(each.fit is Fit.YES and _demands(each.policy) for each in own)
            if not (listener.ends_tls and demanded):
                return False
        return bool(meant)


def _demands(policy: Subject) -> bool:
    reader = Reader()
    validation = reader.field(root(policy.whole), "spec", "tls", "clientValidation")
    optional, mode = reader.field(validation, "optional").value, reader.field(validation, "mode").value
    demanded = optional in (None, False) and mode in (None, REQUIRED_MODE)
    return demanded and not is_empty(reader.field(validation, "caCertificateRefs"))
