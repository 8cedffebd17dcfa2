"""What the policies of a backend attach to."""

from typing import Any, Final

from components.plan.names import further_name
from components.plan.offers.listeners import gateway_name, listeners
from components.plan.offers.routes import ROUTE_KINDS, route_name
from components.settings.offers.backends import Backend

_GROUP: Final = "gateway.networking.k8s.io"


def policy_name(name: str, backend: Backend, rule: str | None = None) -> str:
    """What a policy of a backend is called: by its route and its protocol.

    A backend whose protocol changes gets new policies before its new route. The old ones, under another name, stay
    with the old route until that is gone. Names of rules have no dots, so none is like a protocol's.
    """
    own = route_name(name, backend)
    if backend.protocol != "HTTP":
        own = further_name(own, f"{backend.protocol.lower()}.route")
    return own if rule is None else further_name(own, rule)


def attached(name: str, backend: Backend, rule: str | None = None) -> list[dict[str, Any]]:
    """A policy's `targetRefs`: a backend's route, or one rule of it.

    A SecurityPolicy does not take a TLSRoute (Envoy Gateway v1.9, securitypolicy_types.go). TLS has listeners of its
    own, one for each hostname, which no other backend uses.
    """
    if backend.protocol == "TLS":
        gateway = {"group": _GROUP, "kind": "Gateway", "name": gateway_name(backend.offered_by)}
        return [{**gateway, "sectionName": each.name} for each in listeners(name, backend)]
    section = {} if rule is None else {"sectionName": rule}
    return [{"group": _GROUP, "kind": ROUTE_KINDS[backend.protocol], "name": route_name(name, backend), **section}]
