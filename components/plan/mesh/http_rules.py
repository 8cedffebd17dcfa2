"""What the last proxy on the way does with a request, as the one rule of an HTTPRoute or GRPCRoute.

The same as `components.plan.mesh.requests` says by Istio's API. What a rule has no field for, settings refuse
(`components.settings.flavours`).
"""

from collections.abc import Mapping
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.mesh.limits import overriding_headers
from components.plan.mesh.requests import removed_headers
from components.settings.destinations import HeaderChanges, Retries, Routing

_RETRIED_STATUS: Final = 503
"""The status after which istiod's default asks again; failures to connect it adds to any `retry`."""


def route_kind(flow: Flow) -> str:
    """GRPC is routed as such, but a GRPCRoute knows no time limits and no retries, and an HTTPRoute carries it too."""
    routing = flow.spec.routing
    limited = routing is not None and (routing.timeout is not None or routing.retries is not None)
    return "GRPCRoute" if flow.protocol == "GRPC" and not limited else "HTTPRoute"


def outside(flow: Flow) -> dict[str, Any]:
    """The backend of a host outside: by its name, which a ServiceEntry bears."""
    return {"group": "networking.istio.io", "kind": "Hostname", "name": flow.host, "port": flow.known_as}


def rule(flow: Flow, others: Mapping[str, Flow], kept_inside: tuple[str, ...]) -> dict[str, Any]:
    """Where requests go, and what becomes of them.

    Args:
        flow: what the client asked for.
        others: the flow of each destination that requests are split with or copied to.
        kept_inside: headers that are for the gateway only: tokens, and those of traces.
    """
    routing = flow.spec.routing or Routing()
    request: dict[str, Any] = {
        "remove": removed_headers(routing.request_headers, (*kept_inside, *overriding_headers(flow)))
    }
    if routing.request_headers is not None and routing.request_headers.set is not None:
        request["set"] = _pairs(routing.request_headers.set)
    filters: list[dict[str, Any]] = [{"type": "RequestHeaderModifier", "requestHeaderModifier": request}]
    if routing.response_headers is not None:
        filters.append({"type": "ResponseHeaderModifier", "responseHeaderModifier": _changes(routing.response_headers)})
    if routing.mirror is not None:
        mirror = {"backendRef": outside(others[routing.mirror.to]), "percent": routing.mirror.percent}
        filters.append({"type": "RequestMirror", "requestMirror": mirror})
    return {"filters": filters, "backendRefs": _backends(flow, routing, others), **_limits(routing)}


def _backends(flow: Flow, routing: Routing, others: Mapping[str, Flow]) -> list[dict[str, Any]]:
    if routing.split is None:
        return [outside(flow)]
    return [
        {**outside(flow), "weight": 100 - sum(routing.split.values())},
        *({**_instead(others[name]), "weight": percent} for name, percent in sorted(routing.split.items())),
    ]


def _instead(other: Flow) -> dict[str, Any]:
    """Another host, under its own name: istiod makes a rewrite of the authority out of the header `Host`."""
    request = {"set": [{"name": "Host", "value": other.host}]}
    return {**outside(other), "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": request}]}


def _limits(routing: Routing) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    timeouts = {
        "request": routing.timeout,
        # With `retry` beside it, istiod reads it as the limit of one try.
        "backendRequest": routing.retries.per_try_timeout if routing.retries and routing.retries.attempts else None,
    }
    given = {key: value for key, value in timeouts.items() if value is not None}
    if given:
        limits["timeouts"] = given
    if routing.retries is not None:
        limits["retry"] = _retry(routing.retries)
    return limits


def _retry(retries: Retries) -> dict[str, Any]:
    return {"attempts": retries.attempts, **({"codes": [_RETRIED_STATUS]} if retries.attempts else {})}


def _changes(changes: HeaderChanges) -> dict[str, Any]:
    return {
        **({} if changes.set is None else {"set": _pairs(changes.set)}),
        **({} if changes.remove is None else {"remove": list(changes.remove)}),
    }


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
