"""What the last proxy on the way does with a request: headers, other hosts, copies, time limits."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from components.plan.flows import Flow
from components.plan.groups import ClientGroup
from components.settings.destinations import Destination, HeaderChanges, Retries

INTERNAL_HEADERS: Final = (
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-peer-metadata",
    "x-envoy-peer-metadata-id",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-proto",
)
"""Request headers that proxies add, and that tell the outside about pods (seen with istiod 1.31 and Envoy 1.40).

`x-request-id` stays: it tells nothing, and is what joins our log to theirs.
"""
_RETRY_ON: Final = "connect-failure,refused-stream,unavailable,cancelled,503"
"""When to ask again: what istiod itself would say (its default retry policy)."""


def outside(flow: Flow) -> dict[str, Any]:
    """The VirtualService destination of a host outside."""
    return {"host": flow.host, "port": {"number": flow.known_as}}


def handling(flow: Flow, others: Mapping[str, Flow], kept_inside: tuple[str, ...]) -> dict[str, Any]:
    """The fields of an HTTP route but for its match: where requests go, and what becomes of them.

    Args:
        flow: what the client asked for.
        others: the flow of each destination that requests are split with or copied to.
        kept_inside: headers that are for the gateway only: tokens, and those of traces.
    """
    routing = flow.spec.routing
    own = None if routing is None else routing.request_headers
    request: dict[str, Any] = {"remove": removed_headers(own, kept_inside)}
    if own is not None and own.set is not None:
        request["set"] = dict(own.set)
    fields: dict[str, Any] = {"headers": {"request": request}, "route": [{"destination": outside(flow)}]}
    if routing is None:
        return fields
    if routing.response_headers is not None:
        fields["headers"]["response"] = _changes(routing.response_headers)
    if routing.split is not None:
        fields["route"] = [
            {"destination": outside(flow), "weight": 100 - sum(routing.split.values())},
            *({**_instead(others[name]), "weight": percent} for name, percent in sorted(routing.split.items())),
        ]
    if routing.mirror is not None:
        # A copy keeps the host of its original; a rewrite is for the main route only.
        fields["mirrors"] = [
            {"destination": outside(others[routing.mirror.to]), "percentage": {"value": routing.mirror.percent}}
        ]
    if routing.timeout is not None:
        fields["timeout"] = routing.timeout
    if routing.retries is not None:
        fields["retries"] = _retries(routing.retries)
    return fields


def others_of(destinations: Mapping[str, Destination], groups: Iterable[ClientGroup]) -> dict[str, Flow]:
    """The flow of each destination that others may send requests to: of one host, and one port with requests."""
    flows = {(flow.host, flow.port): flow for group in groups for flow in group.flows}
    found: dict[str, Flow] = {}
    for name, destination in destinations.items():
        ports = [port for port in destination.ports.values() if port.is_http]
        if len(destination.hosts) == 1 and len(ports) == 1:
            found[name] = flows[destination.hosts[0], ports[0].client_port]
    return found


def _instead(other: Flow) -> dict[str, Any]:
    """Another host, under its own name."""
    return {"destination": outside(other), "headers": {"request": {"set": {"Host": other.host}}}}


def removed_headers(own: HeaderChanges | None, kept_inside: tuple[str, ...]) -> list[str]:
    """The request headers that no host outside is told."""
    more = () if own is None else own.remove or ()
    return list(dict.fromkeys((*INTERNAL_HEADERS, *kept_inside, *more)))


def _changes(changes: HeaderChanges) -> dict[str, Any]:
    return {
        **({} if changes.set is None else {"set": dict(changes.set)}),
        **({} if changes.remove is None else {"remove": list(changes.remove)}),
    }


def _retries(retries: Retries) -> dict[str, Any]:
    if retries.attempts == 0:
        return {"attempts": 0}
    each = {} if retries.per_try_timeout is None else {"perTryTimeout": retries.per_try_timeout}
    return {"attempts": retries.attempts, "retryOn": _RETRY_ON, **each}
