"""Listeners of Gateways that let in only clients with a certificate (ClientTrafficPolicy: tls.clientValidation)."""

from collections.abc import Iterable
from dataclasses import dataclass

from policy.readers.policy_targets import Attachments, Fit
from policy.readers.routes import GATEWAY_API, Parent
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Subject

CLIENT_TRAFFIC_POLICY = "gateway.envoyproxy.io/ClientTrafficPolicy"
GATEWAY = f"{GATEWAY_API}/Gateway"
REQUIRED_MODE = "RequireAndVerify"
"""The mode that keeps clients without a valid certificate out (api/v1alpha1/tls_types.go); the default."""


@dataclass(frozen=True, kw_only=True)
class _Listener:
    name: str
    ends_tls: bool


class CertificateGuards:
    """The Gateways and ClientTrafficPolicies of a stack."""

    def __init__(self, gateways: Iterable[Subject], policies: Iterable[Subject]) -> None:
        self._gateways = {(gateway.ref.namespace, gateway.ref.name): gateway for gateway in gateways}
        self._attachments = Attachments(policies)

    def guard(self, parent: Parent) -> bool:
        """Whether every listener that `parent` may mean demands a certificate. Gateways elsewhere are not known."""
        gateway = self._gateways.get((parent.namespace, parent.name))
        if gateway is None or parent.kind != "Gateway":
            return False
        found = self._attachments.on(kind=parent.kind, namespace=parent.namespace, name=parent.name, subject=gateway)
        meant = [each for each in _listeners(gateway) if parent.section in ("", each.name)]
        for listener in meant:
            # A policy for the listener takes the place of the Gateway's.
            own = [each for each in found if each.section == listener.name] or [
                each for each in found if each.section == ""
            ]
            demanded = bool(own) and all(each.fit is Fit.YES and _demands(each.policy) for each in own)
            if not (listener.ends_tls and demanded):
                return False
        return bool(meant)


def _listeners(gateway: Subject) -> list[_Listener]:
    reader = Reader()
    return [
        _Listener(name=reader.text(reader.field(node, "name")) or "", ends_tls=_ends_tls(reader, node))
        for node in reader.items(reader.field(root(gateway.whole), "spec", "listeners"))
    ]


def _ends_tls(reader: Reader, listener: Node) -> bool:
    mode = reader.field(listener, "tls", "mode").value
    return reader.field(listener, "protocol").value in ("HTTPS", "TLS") and mode in (None, "Terminate")


def _demands(policy: Subject) -> bool:
    reader = Reader()
    validation = reader.field(root(policy.whole), "spec", "tls", "clientValidation")
    optional, mode = reader.field(validation, "optional").value, reader.field(validation, "mode").value
    demanded = optional in (None, False) and mode in (None, REQUIRED_MODE)
    return demanded and not is_empty(reader.field(validation, "caCertificateRefs"))
