"""What Alibaba's managed mesh cannot honour, and what can be written instead.

ASM makes Istio's objects itself, from an ASMEgressTrafficPolicy: what that has no field for cannot be asked. Sources:
Alibaba Cloud, "ASMEgressTrafficPolicy CRD description", "Manage egress traffic with an egress traffic policy", "ASM
gateway CRD reference"; the Go types of both kinds in its public client.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from components.settings.destinations import Destination, DestinationPort
from components.settings.parts import Parts
from components.settings.plain import at, is_list, is_map
from components.settings.problems import Path
from components.settings.reserved import ASM_NAMESPACE, CONTROL_PLANE, MOST_ASM_PORTS

_Found = Iterator[tuple[Path, str, str]]
_OTHER: Final = "`flavour: istio-api`"
_MESH: Final[Sequence[tuple[Path, str, str]]] = (
    (
        ("egress", "mesh", "issuers"),
        "are for tokens, which would leave with the request: an egress policy of ASM changes no headers",
        f"{_OTHER}, or leave them out",
    ),
    (
        ("egress", "mesh", "authorizers"),
        "are part of the mesh's configuration, which Alibaba manages",
        f"{_OTHER}, or leave them out",
    ),
    (
        ("egress", "mesh", "tracing"),
        "is part of the mesh's configuration, which Alibaba manages",
        "leave it out, and turn tracing on in ASM's console",
    ),
    (
        ("egress", "mesh", "alerts"),
        "ask for pods and metrics by the names that our own install gives them, and ASM gives its own",
        "leave them out, and use the alerts of ASM's console",
    ),
)
"""Optional keys of the whole mesh."""


def check(parts: Parts) -> _Found:
    """Every key that ASM has no way to honour."""
    yield from _mesh(parts)
    yield from _gateways(parts)
    for name, destination in parts.destinations.items():
        yield from _destination(name, destination)
    for section, entries in (("destinations", parts.destinations), ("backends", parts.backends)):
        if CONTROL_PLANE in entries:
            yield (
                (section, CONTROL_PLANE),
                "has the name by which the mesh's control plane is approved, and would share its approvals",
                "another name",
            )


def _mesh(parts: Parts) -> _Found:
    for path, wrong, instead in _MESH:
        if at(parts.plain, *path) is not None:
            yield path, wrong, instead
    installed = at(parts.plain, "install", "istio")
    for key in sorted(set(installed) - {"canary"}) if is_map(installed) else ():  # of which `upgrade` speaks
        yield ("install", "istio", key), "is about an install of ours, and ASM installs Istio itself", "leave it out"
    families = at(parts.plain, "cluster", "ipFamilies")
    if is_list(families) and "IPv6" in families:
        yield (
            ("cluster", "ipFamilies"),
            "has IPv6, and nothing that Alibaba documents says that ASM's gateways carry it",
            f"`[IPv4]`, or {_OTHER}",
        )
    for namespace in sorted(filter(parts.is_direct, parts.outbound)):
        yield (
            ("cluster", "namespaces", namespace, "outbound"),
            "goes without a gateway, and an egress policy of ASM always leads through one",
            f"`gateway`, or {_OTHER}",
        )


def _gateways(parts: Parts) -> _Found:
    path: Path = ("egress", "mesh", "gateway", "namespace")
    if at(parts.plain, *path) not in (None, ASM_NAMESPACE):
        yield path, f"is not {ASM_NAMESPACE}, where alone ASM reads egress policies", "leave it out"
    ports_of: defaultdict[str | None, set[tuple[str, int]]] = defaultdict(set)
    first_over: dict[str | None, str] = {}
    for name, destination in parts.destinations.items():
        used = ports_of[destination.gateway]
        used |= {(host, port.client_port) for host in destination.hosts for port in destination.ports.values()}
        if len(used) > MOST_ASM_PORTS:
            first_over.setdefault(destination.gateway, name)
    for gateway, name in first_over.items():
        yield (
            ("destinations", name, "gateway"),
            f"makes more than {MOST_ASM_PORTS} hosts and ports at one gateway, which needs a port of its own for each "
            f"({len(ports_of[gateway])} in all)",
            "a further gateway for some of them, under egress.mesh.gateways",
        )
    for gateway in (None, *sorted(parts.gateways or ())):
        path = ("egress", "mesh", "gateway") if gateway is None else ("egress", "mesh", "gateways", gateway)
        if at(parts.plain, *path, "drainSeconds") is not None:
            yield (*path, "drainSeconds"), "has no field in ASM's IstioGateway", f"leave it out, or {_OTHER}"
        if parts.destinations and not ports_of[gateway]:
            yield (
                path,
                "leads no destination out, and ASM's gateway needs a port of its own for each",
                "a destination that leaves through it"
                + ("" if gateway is None else f" (`gateway: {gateway}`), or leave it out"),
            )


def _destination(name: str, destination: Destination) -> _Found:
    path: Path = ("destinations", name)
    for index, host in enumerate(destination.hosts):
        if host.startswith("*"):
            yield (
                (*path, "hosts", index),
                "is a wildcard, and nothing that Alibaba documents says what ASM makes of one",
                f"each host by its full name, or {_OTHER}",
            )
    refused = (
        ("addresses", destination.addresses, "cannot be told to ASM, which looks names up in DNS", "`cidrs`"),
        (
            "token",
            destination.token,
            "would leave with the request: an egress policy of ASM changes no headers",
            "leave it out",
        ),
        (
            "authorizer",
            destination.authorizer,
            "needs a place in the mesh's configuration, which Alibaba manages",
            "leave it out",
        ),
    )
    for key, value, wrong, instead in refused:
        if value is not None:
            yield (*path, key), wrong, f"{instead}, or {_OTHER}"
    for port_name, port in destination.ports.items():
        for key, wrong, instead in _port(port):
            yield (*path, "ports", port_name, *key), wrong, f"{instead}, or {_OTHER}"


def _port(port: DestinationPort) -> Iterator[tuple[Path, str, str]]:
    if port.protocol == "TCP":
        yield (
            ("protocol",),
            "is TCP, which sidecars know by its address, and an egress policy of ASM has names only",
            "`TLS`, where the client starts TLS",
        )
    if port.protocol == "GRPC" and port.tls is not None:
        yield (
            ("tls",),
            "starts TLS for GRPC, and ASM's `httpsUpgrade` is documented for HTTP only",
            "`protocol: TLS`, with TLS that the client starts",
        )
    if port.tls is not None:
        for key, value in (("secret", port.tls.secret), ("serverName", port.tls.server_name)):
            if value is not None:
                yield (
                    ("tls", key),
                    "has no field in ASM's `httpsUpgrade`, which knows a port and nothing else",
                    "a host with a certificate of a public authority, for its own name",
                )
    if port.allow is not None:
        yield (
            ("allow",),
            "needs headers taken away and paths refused that the host outside may read as others, and an egress policy "
            "of ASM does neither",
            "leave it out",
        )
    for key, value in (("routing", port.routing), ("connections", port.connections), ("outliers", port.outliers)):
        if value is not None:
            yield (key,), "has no field in ASM's egress policy", "leave it out"
