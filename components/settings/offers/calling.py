"""Does who may call a backend fit what the backend is, and the Gateway that offers it?"""

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from pydantic.alias_generators import to_camel

from components.settings.offers.access import Access, ExternalAuthorizer, Oidc
from components.settings.offers.backends import Backend
from components.settings.offers.routes import BackendRoute
from components.settings.parts import Parts
from components.settings.plain import at, is_map
from components.settings.problems import Found, Path, did_you_mean
from components.settings.reserved import DEFAULT_GATEWAY
from policy.facts.addresses import is_wide

_CREDENTIALS: Final = ("jwt", "oidc", "api_keys", "basic")
_SEES: Final = {
    "HTTP": frozenset(Access.model_fields),
    "GRPC": frozenset(Access.model_fields) - {"oidc", "basic"},
    "TLS": frozenset({"public", "client_certificates", "client_cidrs"}),
    "TCP": frozenset({"public", "client_cidrs"}),
}
"""What Envoy can tell about the callers of each protocol. GRPC's callers are no browsers and have no passwords."""
_IN_AUTHORIZATION: Final = ("jwt", "basic")
"""What is read from the header `authorization`."""


def check(parts: Parts) -> Found:
    """Nobody is let in by what Envoy does not see, and no credentials travel where others can read them."""
    for name, backend in parts.backends.items():
        path: Path = ("backends", name, "access")
        yield from _seen(path, backend)
        yield from _in_plain_text(parts, path, backend)
        yield from _together(path, backend.access)
        if is_wide(ipaddress.ip_network(cidr) for cidr in backend.access.client_cidrs or ()):
            yield (
                (*path, "clientCidrs"),
                "are too wide together for anybody to know who is in them",
                "callers' own networks, each at most a /16 of IPv4 or a /32 of IPv6",
            )
        if backend.access.oidc is not None:
            yield from _login(path, backend, backend.access.oidc)
        if backend.access.external is not None:
            yield from _external(parts, path, backend, backend.access.external)
    yield from _shared_keys(parts)
    yield from _unused_helpers(parts)


def _given(access: Access) -> list[str]:
    return [key for key in Access.model_fields if getattr(access, key) is not None]


def _seen(path: Path, backend: Backend) -> Found:
    for key in _given(backend.access):
        if key not in _SEES[backend.protocol]:
            yield (
                (*path, to_camel(key)),
                f"is about what {backend.protocol} does not show the Gateway, which would let in nobody, or anybody",
                f"one of: {', '.join(sorted(map(to_camel, _SEES[backend.protocol])))}",
            )
        elif key == "client_certificates" and backend.certificate is None:
            yield (
                (*path, "clientCertificates"),
                "are shown in TLS, which does not end at the Gateway",
                "`certificate` for the backend",
            )


def _in_plain_text(parts: Parts, path: Path, backend: Backend) -> Found:
    """What is sent in plain text is anybody's who sees it; inside, the mesh or the network may keep it."""
    if backend.certificate is not None:
        return
    gateway = parts.backend_gateways.get(backend.offered_by)
    for key in _CREDENTIALS:
        if getattr(backend.access, key) is None or key not in _SEES[backend.protocol]:
            continue
        if key == "oidc":
            yield (*path, key), "keeps logins in cookies, which browsers send by TLS only", "`certificate`"
        elif gateway is not None and gateway.exposure != "inside":
            yield (
                (*path, to_camel(key)),
                f"would be sent in plain text, and the Gateway is reached from outside the cluster "
                f"(`exposure: {gateway.exposure}`)",
                "`certificate` for the backend",
            )


def _together(path: Path, access: Access) -> Found:
    """All that is given must hold, which nobody can do for some of it."""
    if access.jwt is not None and access.basic is not None:
        yield (
            (*path, "basic"),
            "is read from `authorization`, as is the token of `jwt`: no request has both",
            "one of the two; or two backends, each with its own hostnames",
        )
    for key in _IN_AUTHORIZATION:
        if access.api_keys is not None and access.api_keys.header == "authorization" and getattr(access, key):
            yield (
                (*path, "apiKeys", "header"),
                f"is where `{key}` is read from: no request has both",
                "a header of its own, for example `x-api-key`",
            )
    for key in ("jwt", "api_keys", "basic"):
        if access.oidc is not None and getattr(access, key) is not None:
            yield (
                (*path, to_camel(key)),
                "is asked besides `oidc`, and a browser that follows the provider's redirects sends nothing of its own",
                "one of the two; or two backends, for people and for programs",
            )


def _login(path: Path, backend: Backend, oidc: Oidc) -> Found:
    if len(backend.hostnames or ()) > 1:
        yield (
            (*path, "oidc"),
            "keeps logins in cookies of one hostname, and the backend has several",
            "a backend for each hostname",
        )
    for key in ("callback", "logout"):
        where = getattr(oidc, key)
        if not any(_leads(route, where) for route in (backend.routes or {"all": BackendRoute()}).values()):
            yield (
                (*path, "oidc", key),
                f"is {where}, which none of `routes` takes, so it would not be found",
                "a path that one of them takes with GET and any headers",
            )


def _leads(route: BackendRoute, where: str) -> bool:
    """Whether a GET without any headers gets there."""
    if route.headers is not None or (route.methods is not None and "GET" not in route.methods):
        return False
    return route.paths is None or any(
        where == each or (each.endswith("/*") and f"{where}/".startswith(each[:-1])) for each in route.paths
    )


def _external(parts: Parts, path: Path, backend: Backend, external: ExternalAuthorizer) -> Found:
    path = (*path, "external")
    if external.socket is not None:
        name = backend.offered_by
        gateway = parts.backend_gateways.get(name)
        if gateway is not None and external.socket not in (gateway.helpers or {}):
            yield (
                (*path, "socket"),
                f"there is no `{external.socket}` among the helpers of backendGateways.{name}",
                did_you_mean(external.socket, gateway.helpers or {}),
            )
    if external.service is not None:
        namespace = external.service.namespace
        if parts.namespaces is not None and namespace not in {*parts.namespaces, *parts.own_namespaces.values()}:
            yield (
                (*path, "service", "namespace"),
                f"namespace `{namespace}` is not under cluster.namespaces",
                did_you_mean(namespace, parts.namespaces),
            )
        elif (parts.namespaces or {}).get(namespace) == "client":
            yield (
                (*path, "service", "namespace"),
                f"namespace `{namespace}` has the role `client`, and whoever works there could let anybody in",
                "a namespace of those who run the cluster, for example `monitoring`",
            )
        elif namespace in parts.own_namespaces.values():
            yield (
                (*path, "service", "namespace"),
                f"namespace `{namespace}` is one of ours, and goes with the stack",
                "the namespace of a service that is there already",
            )


def _shared_keys(parts: Parts) -> Found:
    """Where a Secret of keys is empty, Envoy takes those of the first backend on the listener (tried, v1.9.1)."""
    firsts: dict[tuple[str, int], str] = {}
    for name, backend in sorted(parts.backends.items()):
        if backend.access.api_keys is not None and backend.certificate is None:
            listener = (backend.offered_by, backend.listening_port)
            first = firsts.setdefault(listener, name)
            if first != name:
                yield (
                    ("backends", name, "access", "apiKeys"),
                    f"shares port {listener[1]} with backends.{first}, whose keys would do while the Secret is empty",
                    "`certificate`, which gives it a listener of its own, or another `port`",
                )


def _unused_helpers(parts: Parts) -> Found:
    """A helper sees the proxies' network and files; one that nobody asks is there for nothing."""
    if parts.backend_names != frozenset(parts.backends):
        return
    for name, gateway in parts.backend_gateways.items():
        helpers = [] if gateway is None else [*(gateway.helpers or {})]
        used = [] if gateway is None else [gateway.access_log.socket, *_sockets(parts, name)]
        if any(each is not None and each not in helpers for each in used):
            continue  # that is said where it is asked for, and may mean any of them
        for helper in helpers:
            if helper not in used:
                yield (
                    ("backendGateways", name, "helpers", helper),
                    "is asked by nobody",
                    f"`socket: {helper}` in the `access.external` of a backend or in `accessLog`, or leave it out",
                )


def _sockets(parts: Parts, gateway: str) -> Iterator[Any]:
    """The helpers that backends of a Gateway name, also where `access` is wrong; any value may stand there."""
    offered = parts.plain.get("backends")
    for each in (offered or {}).values() if is_map(offered) else ():
        if (at(each, "gateway") or DEFAULT_GATEWAY) == gateway:
            yield at(each, "access", "external", "socket")
