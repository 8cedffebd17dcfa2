"""Can Envoy Gateway reach a backend in the way that is asked for?"""

from collections.abc import Iterator
from typing import Final

from pydantic.alias_generators import to_camel

from components.settings.offers.backends import Backend, Endpoint
from components.settings.parts import Parts
from components.settings.problems import Found, Path, did_you_mean

MOST_ENDPOINTS: Final = 64
"""Endpoints in one list: each proxy asks each of them whether it is well."""
MOST_HOSTNAMES: Final = 16
"""Hostnames of one route, and rules of it (Gateway API, HTTPRoute and GRPCRoute)."""
RESOLVED: Final = {True: 443, False: 80}
"""The port that Envoy takes for a host without one, with TLS and without (Envoy, dynamic forward proxy)."""
_ALL: Final = 100
"""Percent."""
_HTTPS: Final = 443
_PLACES: Final = ("endpoints", "service", "resolver")
_ABOUT_ENDPOINTS: Final = {
    "cidrs": "leave it out",
    "tls": "a Gateway with `inMesh`: its sidecars speak mutual TLS to the Service",
    "application_protocol": "`appProtocol` at the Service's own port",
}
"""Keys that mean nothing for a Service, and what does."""
_ABOUT_REQUESTS: Final = (
    "max_pending_requests",
    "max_requests_per_connection",
    "max_parallel_requests",
    "idle_timeout",
)


def check(parts: Parts) -> Found:
    """Every backend that asks for what cannot be honoured."""
    for name, backend in parts.backends.items():
        path: Path = ("backends", name)
        yield from _place(path, backend)
        yield from _endpoints(path, backend)
        yield from _standby(path, backend)
        yield from _service(path, backend, parts)
        yield from _resolver(path, backend)
        yield from _tls(path, backend)
        yield from _application_protocol(path, backend)
        yield from _health(path, backend)
        yield from _shared_question(path, backend, parts)


def _place(path: Path, backend: Backend) -> Found:
    given = [key for key in _PLACES if getattr(backend, key) is not None]
    if len(given) != 1:
        wrong = f"answers in {len(given)} kinds of place: {', '.join(given)}" if given else "answers nowhere"
        yield path, wrong, "`endpoints`, or `service`, or `resolver`"
    if backend.hostnames is not None and len(backend.hostnames) > MOST_HOSTNAMES:
        wrong = f"has {len(backend.hostnames)} hostnames, and a backend takes {MOST_HOSTNAMES}"
        yield (*path, "hostnames"), wrong, "two backends"


def _lists(backend: Backend) -> Iterator[tuple[str, tuple[Endpoint, ...]]]:
    for key, endpoints in (("endpoints", backend.endpoints), ("standby", backend.standby)):
        if endpoints is not None:
            yield key, endpoints


def _endpoints(path: Path, backend: Backend) -> Found:
    """Envoy Gateway refuses a Backend of two kinds, and splits a route with two into two pools."""
    if len({endpoint.ip is None for _, endpoints in _lists(backend) for endpoint in endpoints}) > 1:
        yield path, "its endpoints mix `ip` and `fqdn`", "two backends, one of each kind"
    if backend.cidrs is not None and any(endpoint.ip is not None for endpoint in backend.endpoints or ()):
        wrong = "says what is behind names, and its endpoints are addresses"
        yield (*path, "cidrs"), wrong, "`fqdn` endpoints, or leave `cidrs` out"
    for key, endpoints in _lists(backend):
        if len(endpoints) > MOST_ENDPOINTS:
            yield (*path, key), f"has {len(endpoints)} endpoints", f"at most {MOST_ENDPOINTS}"
        zones = [endpoint.zone for endpoint in endpoints]
        if any(zones) and len(set(zones)) == 1:
            yield (*path, key), f"all stand in the zone {zones[0]}, so none is nearer", "leave `zone` out"
        elif any(zones) and not all(zones):
            wrong = "says of some endpoints where they stand, so proxies would pass the others over"
            yield (*path, key), wrong, "`zone` for each endpoint, or for none"


def _standby(path: Path, backend: Backend) -> Found:
    if backend.standby is None:
        return
    at = (*path, "standby")
    if backend.endpoints is None:
        yield at, "stands by for `endpoints`, and there are none", "leave it out"
    elif backend.health_check is None and backend.outliers is None:
        wrong = "is asked when no endpoint is well, and nobody looks whether one is"
        yield at, wrong, "`healthCheck` or `outliers` beside it"
    elif backend.health_check is None and backend.outliers is not None and backend.outliers.max_percent < _ALL:
        # Envoy turns to a standby as endpoints are left alone, and no more of them are than `maxPercent`.
        yield (
            (*path, "outliers", "maxPercent"),
            f"keeps some of `endpoints` whatever they answer ({backend.outliers.max_percent} in a hundred may be left "
            "alone), so `standby` would not be asked",
            "100, or `healthCheck`",
        )
    zones = any(endpoint.zone is not None for _, endpoints in _lists(backend) for endpoint in endpoints)
    if zones and backend.protocol in ("HTTP", "GRPC"):
        # Of a route for requests Envoy Gateway makes a pool for each target where zones count, and shares between them.
        wrong = "would get half of the requests: where endpoints have a `zone`, proxies share requests out"
        yield at, wrong, "endpoints without `zone`"
    for endpoint in set(backend.endpoints or ()) & set(backend.standby):
        yield at, f"has {endpoint.ip or endpoint.fqdn}, as `endpoints` do", "each in one of them"


def _service(path: Path, backend: Backend, parts: Parts) -> Found:
    service, namespaces = backend.service, parts.namespaces
    if service is None:
        return
    if namespaces is not None and service.namespace not in namespaces:
        yield (
            (*path, "service", "namespace"),
            f"namespace `{service.namespace}` is not under cluster.namespaces",
            did_you_mean(service.namespace, namespaces),
        )
    for key, instead in _ABOUT_ENDPOINTS.items():
        if getattr(backend, key) is not None:
            yield (*path, to_camel(key)), "is about endpoints outside, and `service` is inside", instead
    gateway = parts.backend_gateways.get(backend.offered_by)
    if backend.protocol == "GRPC" and gateway is not None and gateway.in_mesh:
        yield (
            (*path, "service"),
            "is found by its own name through a Gateway with `inMesh`, and routes of gRPC write no name",
            "a Gateway without `inMesh`",
        )


def _resolver(path: Path, backend: Backend) -> Found:
    """Envoy takes host and port from the request, so routes write both anew, and they cannot write a port."""
    if backend.resolver is None:
        return
    if backend.protocol != "HTTP":
        wrong = f"looks at the `Host` of requests, which no route of {backend.protocol} can write anew"
        yield (*path, "resolver"), wrong, "`endpoints` with the hosts' names as `fqdn`"
    port = RESOLVED[backend.tls is not None]
    if backend.resolver.port != port:
        with_tls, how = ("with", "80 without `tls`") if backend.tls is not None else ("without", "443 with `tls`")
        yield (
            (*path, "resolver", "port"),
            f"is {backend.resolver.port}, and the port of a host that is looked up is {port} {with_tls} `tls`",
            f"{port}; or {how}; or `endpoints` with `fqdn` and the port",
        )
    if backend.tls is not None and backend.tls.server_name is not None:
        yield (*path, "tls", "serverName"), "is one name for many hosts", "leave it out: it is each host's own name"
    for key in ("health_check", "outliers"):
        if getattr(backend, key) is not None:
            yield (*path, to_camel(key)), "chooses among endpoints, and a resolver has none", "leave it out"
    if backend.routes is not None:
        wrong = "choose among requests, and a resolver takes every request to the host that it names"
        yield (*path, "routes"), wrong, "`endpoints` with the host's name as `fqdn`"


def _plain(path: Path, backend: Backend) -> Found:
    """Whoever answers on 443 waits for TLS: plain text would be refused there, or read on its way."""
    if backend.protocol == "TCP" or (backend.protocol == "TLS" and backend.certificate is None):
        return
    for key, endpoints in _lists(backend):
        for index, endpoint in enumerate(endpoints):
            if endpoint.port == _HTTPS:
                yield (
                    (*path, key, index, "port"),
                    "is that of HTTPS, and without `tls` it is spoken to in plain text",
                    "`tls`, or another port",
                )


def _tls(path: Path, backend: Backend) -> Found:
    if backend.tls is None:
        yield from _plain(path, backend)
        return
    if backend.protocol == "TLS" and backend.certificate is None:
        wrong = "would wrap callers' own TLS, which is passed through, in another"
        yield (*path, "tls"), wrong, "leave it out; or `certificate`, which ends callers' TLS here"
    names = {endpoint.fqdn for _, endpoints in _lists(backend) for endpoint in endpoints}
    if backend.endpoints is not None and backend.tls.server_name is None and (None in names or len(names) > 1):
        yield (
            (*path, "tls"),
            "has no name for the endpoints' certificate: they are addresses, or have several names",
            "`serverName`: the one name that their certificates bear",
        )


def _application_protocol(path: Path, backend: Backend) -> Found:
    """Envoy Gateway refines HTTP by it, and passes it over for every other kind of route."""
    spoken, at = backend.application_protocol, (*path, "applicationProtocol")
    if spoken is None:
        return
    if backend.protocol != "HTTP":
        yield at, f"refines HTTP, and this is {backend.protocol}", "leave it out, or `protocol: HTTP`"
    if spoken == "wss" and backend.tls is None:
        yield at, "`wss` is WebSocket with TLS, and there is no `tls`", "`ws`, or `tls`"
    if spoken != "wss" and backend.tls is not None:
        instead = "`wss`" if spoken == "ws" else "leave it out: with TLS the endpoints say themselves"
        yield at, f"`{spoken}` is without TLS, and there is `tls`", instead
    if spoken != "h2c" and backend.limits is not None and backend.limits.body_bytes is not None:
        wrong = "opens a connection whose end nobody knows, and `limits.bodyBytes` reads requests whole"
        yield at, wrong, "leave `bodyBytes` out"


def _health(path: Path, backend: Backend) -> Found:
    check, is_http = backend.health_check, backend.protocol == "HTTP"
    if check is not None and (check.path is None) == is_http:
        if is_http:
            yield (*path, "healthCheck", "path"), "is missing, and HTTP is asked by path", "`path: /healthz`"
        else:
            wrong = f"is asked for by HTTP, and this is {backend.protocol}"
            yield (*path, "healthCheck", "path"), wrong, "leave it out"
    if check is not None and check.path is not None and check.path.endswith("/*"):
        yield (*path, "healthCheck", "path"), "is many paths", "one, without `/*`"
    if backend.protocol in ("TLS", "TCP") and backend.connections is not None:
        for key in _ABOUT_REQUESTS:
            if getattr(backend.connections, key) is not None:
                wrong = f"is about requests, which nobody sees in {backend.protocol}"
                yield (*path, "connections", to_camel(key)), wrong, "leave it out"


def _shared_question(path: Path, backend: Backend, parts: Parts) -> Found:
    """All targets of a route are asked under one name, by which sidecars choose who is asked."""
    gateway, check = parts.backend_gateways.get(backend.offered_by), backend.health_check
    if check is None or check.path is None or gateway is None or not gateway.in_mesh:
        return
    others = {name for route in (backend.routes or {}).values() for name in route.split or ()}
    for name in sorted(others & parts.backends.keys()):
        if _service_name(parts.backends[name]) != _service_name(backend):
            yield (
                (*path, "healthCheck", "path"),
                f"is asked of backends.{name} under the name of this backend, where sidecars do not find it",
                "`outliers` instead; or a Gateway without `inMesh`",
            )


def _service_name(backend: Backend) -> tuple[str, str] | None:
    """What sidecars find a backend's Service by; outside, any name will do."""
    return None if backend.service is None else (backend.service.namespace, backend.service.name)
