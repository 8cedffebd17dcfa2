"""Listeners of Gateways, and which of them a route attaches to (Envoy Gateway: internal/gatewayapi/listener.go)."""

from dataclasses import dataclass

from policy.readers.routes import (
    GATEWAY_API,
    GRPC_ROUTE,
    HTTP_ROUTE,
    TCP_ROUTE,
    TLS_ROUTE,
    UDP_ROUTE,
    Parent,
)
from policy.reading import Node, Reader, root
from policy.rule import Subject

GATEWAY = f"{GATEWAY_API}/Gateway"
LISTENER_SET = f"{GATEWAY_API}/ListenerSet"
LISTENER_SETS = frozenset({LISTENER_SET, "gateway.networking.x-k8s.io/XListenerSet"})
"""What adds listeners to a Gateway, under its two names."""

_HTTP = frozenset({HTTP_ROUTE, GRPC_ROUTE})
_TAKES = {
    "HTTP": _HTTP,
    "HTTPS": _HTTP,
    "TLS": frozenset({TLS_ROUTE, TCP_ROUTE}),
    "TCP": frozenset({TCP_ROUTE}),
    "UDP": frozenset({UDP_ROUTE}),
}


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One listener of a Gateway."""

    name: str
    ends_tls: bool
    passes_tls: bool
    """Whether it hands on TLS as it is. It does neither where nobody can say, or where there is no TLS."""
    hostname: Node
    kinds: frozenset[str] | None
    """The kinds of routes that its protocol takes; None for a protocol that nobody knows."""


def listeners_of(gateway: Subject | None, parent: Parent, kind: str) -> list[Listener]:
    """The listeners of `gateway` that a route may be on. What else a listener says of its routes does not count.

    Args:
        gateway: a Gateway, None if the stack does not show it.
        parent: what the route attaches to, which is this Gateway.
        kind: the route's, with its group.
    """
    if gateway is None:
        return []
    reader = Reader()
    listeners = [
        _listener(reader, node) for node in reader.items(reader.field(root(gateway.whole), "spec", "listeners"))
    ]
    return [
        listener
        for listener in listeners
        if parent.section in ("", listener.name) and (listener.kinds is None or kind in listener.kinds)
    ]


def _listener(reader: Reader, node: Node) -> Listener:
    protocol, mode = (reader.field(node, *keys).value for keys in (("protocol",), ("tls", "mode")))
    return Listener(
        name=reader.text(reader.field(node, "name")) or "",
        ends_tls=protocol in ("HTTPS", "TLS") and mode in (None, "Terminate"),
        passes_tls=protocol == "TLS" and mode == "Passthrough",
        hostname=reader.field(node, "hostname"),
        kinds=_TAKES.get(protocol) if isinstance(protocol, str) else None,
    )
