"""Do limits, health checks and retries fit what a backend is, and what counts them?"""

from collections.abc import Iterator
from typing import Final

from pydantic.alias_generators import to_camel

from components.settings.offers.backends import Backend
from components.settings.parts import Parts
from components.settings.plain import at, is_map
from components.settings.problems import Found, Path

_ABOUT_REQUESTS: Final = (
    "max_pending_requests",
    "max_parallel_requests",
    "max_requests_per_connection",
    "idle_timeout",
)
_MOST_RULES: Final = 16
"""Rules of one kind of counting in a BackendTrafficPolicy (ratelimit_types.go, `LocalRateLimit`)."""


def check(parts: Parts) -> Found:
    """Nothing is asked for that Envoy would not count, or not look at."""
    for name, backend in parts.backends.items():
        path: Path = ("backends", name)
        yield from _requests(path, backend)
        yield from _counted(parts, path, backend)
        yield from _health(path, backend)
    yield from _unused_redis(parts)


def _requests(path: Path, backend: Backend) -> Found:
    """Envoy sees no requests in TLS that is not HTTP, and in TCP."""
    if backend.protocol in {"HTTP", "GRPC"}:
        if backend.limits is not None and backend.limits.body_bytes is not None:
            yield from _upgraded(path, backend)
        return
    about = [("limits",)] if backend.limits is not None else []
    about += [
        ("connections", to_camel(key))
        for key in _ABOUT_REQUESTS
        if backend.connections is not None and getattr(backend.connections, key) is not None
    ]
    for key in about:
        yield (
            (*path, *key),
            f"is about requests, and the Gateway sees none in {backend.protocol}",
            "leave it out; `connections.maxConnections` limits connections",
        )


def _upgraded(path: Path, backend: Backend) -> Found:
    if backend.application_protocol in {"ws", "wss"}:
        yield (
            (*path, "limits", "bodyBytes"),
            "reads a request whole before the backend sees it, and a WebSocket has no end",
            "leave it out",
        )


def _counted(parts: Parts, path: Path, backend: Backend) -> Found:
    limits = {} if backend.limits is None else backend.limits.requests or {}
    path = (*path, "limits", "requests")
    if len(limits) > _MOST_RULES:
        yield path, f"has {len(limits)} limits, and Envoy Gateway takes {_MOST_RULES}", f"{_MOST_RULES} at most"
    keys = backend.access.api_keys
    for name, limit in limits.items():
        if limit.counted == "together" and not parts.has_redis:
            yield (
                (*path, name, "counted"),
                "counts in Redis, and none is named",
                "install.envoyGateway.redis, or `each-proxy`",
            )
        if limit.counted == "together" and _differ(backend):
            yield (
                (*path, name, "counted"),
                "is one count for all of `routes`, and those with another `timeout` or `retries` have their own",
                "the same `timeout` and `retries` in all of `routes`, or `each-proxy`",
            )
        if keys is not None and limit.each_header == keys.header:
            yield (
                (*path, name, "eachHeader"),
                "holds the key of `apiKeys`, which is taken off before anybody counts",
                "`each: caller-address`, or another header",
            )


def _differ(backend: Backend) -> bool:
    """Whether rules need policies of their own: those count apart."""
    return len({(each.timeout, each.retries) for each in (backend.routes or {}).values()}) > 1


def _health(path: Path, backend: Backend) -> Found:
    check, outliers = backend.health_check, backend.outliers
    for key, given in (("healthCheck", check), ("outliers", outliers)):
        if given is not None and backend.resolver is not None:
            yield (
                (*path, key),
                "looks at endpoints, and `resolver` has none that are known",
                "leave it out",
            )
    if check is not None and (check.path is None) == (backend.protocol == "HTTP"):
        yield (
            (*path, "healthCheck", *(() if check.path is None else ("path",))),
            "has no path to ask for" if check.path is None else f"is about HTTP, and the backend is {backend.protocol}",
            "`path`, for example `/healthz`" if check.path is None else "leave it out",
        )
    if backend.standby is not None and check is None and outliers is not None and outliers.max_percent < 100:  # noqa: PLR2004 - percent
        yield (
            (*path, "outliers", "maxPercent"),
            f"keeps some of `endpoints` whatever they answer ({outliers.max_percent} in a hundred may be left alone), "
            "so `standby` would not be asked",
            "100, or `healthCheck`",
        )


def _unused_redis(parts: Parts) -> Found:
    """A Redis that nobody counts in would be a destination of the proxies' control plane for nothing."""
    if parts.has_redis and parts.backend_names == parts.backends.keys() and "together" not in _kinds(parts):
        yield (
            ("install", "envoyGateway", "redis"),
            "is there for limits that are `counted: together`, and there are none",
            "leave it out, or `counted: together` in the limits of a backend",
        )


def _kinds(parts: Parts) -> Iterator[object]:
    """How backends count; any value may stand there."""
    offered = parts.plain.get("backends")
    for each in (offered or {}).values() if is_map(offered) else ():
        requests = at(each, "limits", "requests")
        for limit in requests.values() if is_map(requests) else ():
            yield at(limit, "counted")
