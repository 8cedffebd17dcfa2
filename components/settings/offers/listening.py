"""Do backends fit the Gateways that listen for them? What Envoy Gateway or Envoy would refuse is refused here.

Sources: envoyproxy/gateway, internal/gatewayapi/validate.go (which listeners may share a port), listener.go (ports of
pods), internal/xds/bootstrap (the proxies' own ports); Gateway API, gateway_types.go (64 listeners).
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from components.settings.offers.backends import Backend
from components.settings.offers.gateways import BackendGateway
from components.settings.parts import Parts
from components.settings.plain import at
from components.settings.problems import Found, Path, did_you_mean
from components.settings.reserved import DEFAULT_GATEWAY, ISTIO_PORTS, OFFER_PORT, PROXY_PORTS, pod_port
from policy.facts.addresses import is_wide
from policy.facts.ports import denied_port

ADDRESS_TYPE: Final = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type"
"""The annotation by which Alibaba Cloud's load balancers are public or not (help.aliyun.com, "Use annotations to
configure CLB instances"; the same for NLB). `exposure` says it."""
_ADDRESS_TYPES: Final = frozenset({ADDRESS_TYPE, ADDRESS_TYPE.replace("alibaba-cloud", "alicloud")})
"""Also by its older name."""
_MOST_LISTENERS: Final = 64
_TLS: Final = "TLS"


@dataclass(frozen=True, kw_only=True)
class _Use:
    """A port of a Gateway, as one backend uses it."""

    path: Path
    backend: str
    port: int
    speaks: str
    """`HTTP`, `TLS` (also HTTPS) or `TCP`."""
    listeners: int
    """Listeners of its own."""


def check(parts: Parts) -> Found:
    """Every backend by itself, then every Gateway with all its backends."""
    for name, backend in parts.backends.items():
        yield from _names(("backends", name), backend)
        yield from _certificate(parts, ("backends", name), backend)
        yield from _gateway_of(parts, ("backends", name), backend)
    for name, gateway in parts.backend_gateways.items():
        yield from _is_used(parts, name)
        uses = [use for key, each in parts.backends.items() if each.offered_by == name for use in _uses(key, each)]
        yield from _shared_ports(uses)
        yield from _pod_ports(uses, in_mesh=gateway is not None and gateway.in_mesh)
        yield from _number(uses)
        if gateway is not None:
            yield from _itself(parts, ("backendGateways", name), gateway)


def _names(path: Path, backend: Backend) -> Found:
    if backend.protocol == "TCP":
        if backend.hostnames is not None:
            yield (
                (*path, "hostnames"),
                "are names, of which TCP says none: whoever connects to the port is led to the backend",
                "leave them out, or another `protocol`",
            )
        if backend.port is None:
            yield (*path, "port"), "is missing, and TCP is recognised by it alone", "a port that no other backend has"
    elif backend.hostnames is None:
        yield (
            (*path, "hostnames"),
            "is missing: without names every request would be taken for this backend",
            "the names under which callers ask for it",
        )


def _certificate(parts: Parts, path: Path, backend: Backend) -> Found:
    certificate = backend.certificate
    if certificate is not None and backend.protocol == "TCP":
        yield (
            (*path, "certificate"),
            "is chosen by the name that callers ask for, and TCP has none",
            "`protocol: TLS` with `hostnames`, or leave it out",
        )
    namespace = None if certificate is None else certificate.namespace
    if namespace is not None and parts.namespaces is not None and namespace not in parts.namespaces:
        yield (
            (*path, "certificate", "namespace"),
            f"namespace `{namespace}` is not under cluster.namespaces",
            did_you_mean(namespace, parts.namespaces),
        )
    if not backend.https_redirect:
        return
    if certificate is None or backend.protocol != "HTTP":
        yield (
            (*path, "httpsRedirect"),
            "sends callers to HTTPS, which is not offered here",
            "`protocol: HTTP` with a `certificate`, or leave it out",
        )
    elif backend.port == OFFER_PORT:
        yield (
            (*path, "httpsRedirect"),
            f"needs port {OFFER_PORT} for plain text, and TLS is offered there",
            "another `port`, or leave it out",
        )


def _gateway_of(parts: Parts, path: Path, backend: Backend) -> Found:
    name = backend.offered_by
    if name in parts.backend_gateways or not parts.backend_gateways:  # none: the key itself is wrong
        return
    if backend.gateway is None:
        yield (
            (*path, "gateway"),
            f"is missing, and there is no `{DEFAULT_GATEWAY}` under backendGateways",
            f"one of: {', '.join(sorted(parts.backend_gateways))}",
        )
    else:
        yield (
            (*path, "gateway"),
            f"there is no `{name}` under backendGateways",
            did_you_mean(name, parts.backend_gateways),
        )


def _is_used(parts: Parts, name: str) -> Found:
    """Not said while some backend cannot be read: it may be the one."""
    all_read = not (parts.backend_names - parts.backends.keys())
    if at(parts.plain, "backendGateways", name) is None or not all_read:
        return
    if not any(backend.offered_by == name for backend in parts.backends.values()):
        yield (
            ("backendGateways", name),
            "offers no backend, and a Gateway must listen to something",
            f"`gateway: {name}` at a backend, or leave it out",
        )


def _shared_ports(uses: list[_Use]) -> Found:
    """Plain HTTP shares with itself, HTTPS with TLS, and TCP with nobody."""
    first: dict[int, _Use] = {}
    for use in uses:
        other = first.setdefault(use.port, use)
        if other is use or (other.speaks == use.speaks and use.speaks != "TCP"):
            continue
        yield (
            use.path,
            f"port {use.port} of the Gateway is taken: backends.{other.backend} has {other.speaks} there, and "
            f"this is {use.speaks}",
            "another `port`, or another Gateway",
        )


def _pod_ports(uses: list[_Use], *, in_mesh: bool) -> Found:
    first: dict[int, _Use] = {}
    for use in uses:
        inside = pod_port(use.port)
        other = first.setdefault(inside, use)
        if other.port != use.port:
            yield (
                use.path,
                f"port {use.port} and port {other.port} of backends.{other.backend} are both {inside} in the proxies' "
                "pods: ports below 1024 are 10000 higher there",
                "another `port`",
            )
        elif inside in PROXY_PORTS or (in_mesh and inside in ISTIO_PORTS):
            whose = "the proxies themselves" if inside in PROXY_PORTS else "their sidecars"
            yield use.path, f"port {use.port} is {inside} in the proxies' pods, which {whose} need", "another `port`"
        elif (usual := denied_port(use.port) or denied_port(inside)) is not None:
            yield use.path, f"port {use.port} is known as that of {usual}, which nobody may reach", "another `port`"


def _number(uses: list[_Use]) -> Found:
    """Each hostname with TLS is a listener, each TCP port another, and each port for plain HTTP one for all."""
    plain = {use.port for use in uses if use.speaks == "HTTP"}
    count = len(plain) + sum(use.listeners for use in uses)
    if count > _MOST_LISTENERS:
        last = uses[-1]
        yield (
            (*last.path[:2], "gateway"),
            f"has {count} listeners, of which a Gateway may have {_MOST_LISTENERS}: one for each hostname with TLS "
            "and for each TCP port",
            "another Gateway for some of its backends",
        )


def _itself(parts: Parts, path: Path, gateway: BackendGateway) -> Found:
    for key in sorted(_ADDRESS_TYPES & set(gateway.load_balancer or {})):
        yield (
            (*path, "loadBalancer", key),
            "says who reaches the load balancer, which `exposure` says",
            "leave it out, and `exposure: intranet` or `internet`",
        )
    if is_wide(ipaddress.ip_network(cidr) for cidr in gateway.trusted_proxies or ()):
        yield (
            (*path, "trustedProxies"),
            "are too wide together: whoever is in them may claim any address in `X-Forwarded-For`",
            "the addresses of the proxies before the Gateway",
        )
    if gateway.in_mesh and (parts.is_ambient or parts.flavour == "asm"):
        how = "a mesh without sidecars" if parts.is_ambient else "the managed mesh"
        yield (
            (*path, "inMesh"),
            f"gives its proxies a sidecar of our own istiod, and {how} has none",
            "leave it out, or `flavour: istio-api` with `dataPlane: sidecar`",
        )


def _uses(name: str, backend: Backend) -> Iterator[_Use]:
    path: Path = ("backends", name)
    port = backend.port
    if backend.protocol == "TCP":
        if port is not None:
            yield _Use(path=(*path, "port"), backend=name, port=port, speaks="TCP", listeners=1)
        return
    speaks = _TLS if backend.speaks_tls else "HTTP"
    yield _Use(
        path=path if port is None else (*path, "port"),
        backend=name,
        port=backend.listening_port,
        speaks=speaks,
        listeners=len(backend.hostnames or ()) if speaks == _TLS else 0,
    )
    if backend.https_redirect and port != OFFER_PORT:
        yield _Use(path=(*path, "httpsRedirect"), backend=name, port=OFFER_PORT, speaks="HTTP", listeners=0)
