"""What a mesh without sidecars cannot honour, and what can be written instead.

ztunnel carries connections and knows nothing of requests or of undeclared hosts; what is judged, a waypoint judges, by
the client's certificate. Sources: istio/istio, pilot/pkg/networking/core/listener_waypoint.go,
manifests/charts/istio-control/istio-discovery/files/waypoint.yaml; istio.io, "Ambient mode".
"""

from collections.abc import Iterator, Sequence
from typing import Final

from components.settings.destinations import Destination
from components.settings.parts import Parts
from components.settings.plain import at
from components.settings.problems import Path

_Found = Iterator[tuple[Path, str, str]]
_OTHER: Final = "`dataPlane: sidecar`"
_DATA_PLANE: Final[Path] = ("egress", "mesh", "dataPlane")
_MESH: Final[Sequence[tuple[Path, str]]] = (
    (("egress", "mesh", "issuers"), "are for tokens, and no waypoint has been seen to judge one"),
    (("egress", "mesh", "authorizers"), "would be asked by waypoints, and none has been seen to ask one"),
    (("egress", "mesh", "alerts"), "are about what sidecars count, and ztunnel counts otherwise"),
    (("install", "istio", "canary"), "moves pods from one istiod to the other, and a node has one ztunnel"),
)
"""Optional keys of the whole mesh."""


def check(parts: Parts) -> _Found:
    """Every key that waypoints have no way to honour."""
    if parts.flavour in ("gateway-api", "asm"):
        yield (
            _DATA_PLANE,
            f"is `ambient`, and the flavour `{parts.flavour}` leads sidecars to its gateways",
            f"`flavour: istio-api`, or {_OTHER}",
        )
    if parts.flavour != "istio-api":
        return
    if not parts.backends and parts.gateway_api is None:
        yield (
            _DATA_PLANE,
            "needs the CRDs of Gateway API for waypoints; they come with Envoy Gateway, installed for backends only",
            "`install.gatewayApi: standard` (or `experimental`), if the cluster has them from elsewhere",
        )
    for path, wrong in _MESH:
        if at(parts.plain, *path) is not None:
            yield path, wrong, f"leave it out, or {_OTHER}"
    for path in parts.on_node_network:
        yield (
            (*path, "hostNetwork"),
            "is about a gateway on its node's network, and the template of waypoints is not made for that",
            f"leave it out, or {_OTHER} with `flavour: gateway-api`",
        )
    for namespace in sorted(filter(parts.is_direct, parts.outbound)):
        yield (
            ("cluster", "namespaces", namespace, "outbound"),
            "is a setting of sidecars: ztunnel has none for a namespace, and lets unknown hosts through to the network",
            f"`gateway`, or {_OTHER}",
        )
    for name, destination in parts.destinations.items():
        yield from _destination(("destinations", name), destination)


def _destination(path: Path, destination: Destination) -> _Found:
    for index, host in enumerate(destination.hosts):
        if host.startswith("*"):
            yield (
                (*path, "hosts", index),
                "is a wildcard, and ztunnel knows hosts by address: istiod has none to give to many names",
                f"each host by its full name, or {_OTHER}",
            )
    for key in ("token", "authorizer"):
        if getattr(destination, key) is not None:
            yield (
                (*path, key),
                "is asked of requests, and no waypoint has been seen to ask",
                f"leave it out, or {_OTHER}",
            )
    for port_name, port in destination.ports.items():
        if port.protocol == "TCP":
            yield (
                (*path, "ports", port_name, "protocol"),
                "is TCP, which a waypoint judges at the client's first byte: whoever is refused hears a host that "
                "speaks first",
                f"`TLS`, where the client starts TLS, or {_OTHER}",
            )
        if port.tls is not None and port.tls.secret is not None:
            yield (
                (*path, "ports", port_name, "tls", "secret"),
                "cannot be read by a waypoint: istiod deploys it, and gives it no right to read Secrets",
                f"a host that a public authority vouches for, or {_OTHER}",
            )
