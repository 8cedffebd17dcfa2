"""Do limits fit what a backend is, and what counts them?"""

from collections.abc import Iterator
from typing import Final

from components.settings.offers.backends import Backend
from components.settings.parts import Parts
from components.settings.plain import at, is_map
from components.settings.problems import Found, Path

_MOST_RULES: Final = 16
"""Rules of one kind of counting in a BackendTrafficPolicy (ratelimit_types.go, `LocalRateLimit`)."""


def check(parts: Parts) -> Found:
    """Nothing is asked for that Envoy would not count."""
    for name, backend in parts.backends.items():
        path: Path = ("backends", name)
        yield from _requests(path, backend)
        yield from _counted(parts, path, backend)
    yield from _unused_redis(parts)


def _requests(path: Path, backend: Backend) -> Found:
    if backend.limits is not None and backend.protocol not in {"HTTP", "GRPC"}:
        yield (
            (*path, "limits"),
            f"is about requests, and the Gateway sees none in {backend.protocol}",
            "leave it out; `connections.maxConnections` limits connections",
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


def _unused_redis(parts: Parts) -> Found:
    """A Redis that nobody counts in would be a destination of the proxies' control plane for nothing."""
    if parts.has_redis and parts.backend_names == frozenset(parts.backends) and "together" not in _kinds(parts):
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
