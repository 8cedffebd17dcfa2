"""Can routes do what is asked of them, and may they lead where they are to lead?"""

import re
from collections.abc import Iterator
from typing import Final

from components.settings.destinations import HeaderChanges
from components.settings.offers import sharing
from components.settings.offers.backends import Backend
from components.settings.offers.routes import BackendRoute, Redirect
from components.settings.parts import Parts
from components.settings.problems import Found, Path, did_you_mean
from components.settings.reserved import OFFER_PORT, OFFER_TLS_PORT

_MOST_MATCHES: Final = 64
_MOST_MATCHES_IN_ALL: Final = 128
_MOST_HEADERS: Final = 16
"""Matches of one rule, of one route, and headers in one list (Gateway API, HTTPRoute)."""
REMOVED_ANYWAY: Final = 9
"""Headers about the caller that every route removes, which count among the sixteen; where it takes off what callers
showed to the Gateway, it removes one more."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"})
"""Methods that Gateway API knows, without CONNECT, which opens a tunnel."""
_GRPC: Final = re.compile(r"/[A-Za-z_][A-Za-z_0-9]*(\.[A-Za-z_][A-Za-z_0-9]*)*/([A-Za-z_][A-Za-z_0-9]*|\*)")
_VALUE: Final = re.compile(r"[!-~]+( [!-~]+)*")


def check(parts: Parts) -> Found:
    """Every route that cannot be honoured."""
    for name, backend in parts.backends.items():
        if backend.routes is None:
            continue
        path: Path = ("backends", name, "routes")
        if backend.protocol not in ("HTTP", "GRPC"):
            wrong = f"are about requests, which nobody sees in {backend.protocol}"
            yield path, wrong, "leave them out; or `protocol: HTTP`"
            continue
        for key, route in backend.routes.items():
            yield from _matches((*path, key), backend, route)
            yield from _headers((*path, key), backend, route)
            yield from _rewrite((*path, key), parts, backend, route)
            yield from _redirect((*path, key), parts, backend, route)
            yield from sharing.check_route((*path, key), parts, backend, route)
        yield from _together(path, backend, backend.routes)


def _matches(path: Path, backend: Backend, route: BackendRoute) -> Found:
    is_grpc = backend.protocol == "GRPC"
    for index, each in enumerate(route.paths or ()):
        at = (*path, "paths", index)
        if is_grpc and not _GRPC.fullmatch(each):
            yield at, f"{each} is not a method of gRPC", "`/package.Service/Method`, or `/package.Service/*`"
        elif "%2f" in each.lower() or "//" in each:
            yield (
                at,
                "has a `/` in disguise, or two in a row, which servers read in more ways than one",
                "a path without `%2F` and `//`",
            )
    if is_grpc and route.methods is not None:
        wrong = "are methods of HTTP, and gRPC knows POST alone"
        yield (*path, "methods"), wrong, "`paths` with `/package.Service/Method`"
    for index, method in enumerate(route.methods or ()):
        if not is_grpc and method not in _METHODS:
            yield (
                (*path, "methods", index),
                f"{method} is not a method that routes compare",
                did_you_mean(method, _METHODS),
            )
    count = _number(route)
    if count > _MOST_MATCHES:
        yield path, f"makes {count} of its paths and methods, and one route takes {_MOST_MATCHES}", "two routes"


def _number(route: BackendRoute) -> int:
    return len(route.paths or "*") * len(route.methods or "*")


def _headers(path: Path, backend: Backend, route: BackendRoute) -> Found:
    removed = REMOVED_ANYWAY + len(backend.access.spent_headers)
    values: list[tuple[Path, str]] = [((*path, "headers", key), value) for key, value in (route.headers or {}).items()]
    if len(values) > _MOST_HEADERS:
        yield (*path, "headers"), f"has {len(values)} headers, and one route compares {_MOST_HEADERS}", "fewer"
    changed: tuple[tuple[str, HeaderChanges | None, int], ...] = (
        ("requestHeaders", route.request_headers, _MOST_HEADERS - removed),
        ("responseHeaders", route.response_headers, _MOST_HEADERS),
    )
    for side, changes, most in changed:
        if changes is None:
            continue
        values += [((*path, side, "set", key), value) for key, value in (changes.set or {}).items()]
        if len(changes.set or {}) > _MOST_HEADERS:
            wrong = f"has {len(changes.set or {})} headers, and one route sets {_MOST_HEADERS}"
            yield (*path, side, "set"), wrong, "fewer"
        if len(changes.remove or ()) > most:
            wrong = f"has {len(changes.remove or ())} headers, and one route removes {most}"
            yield (*path, side, "remove"), wrong, "fewer"
    for at, value in values:
        if not _VALUE.fullmatch(value):
            yield at, "has other than ASCII, or two blanks in a row", "printable ASCII, with single blanks"


def _rewrite(path: Path, parts: Parts, backend: Backend, route: BackendRoute) -> Found:
    if route.rewrite is None:
        return
    at = (*path, "rewrite")
    if backend.protocol == "GRPC":
        yield at, "needs a route of HTTP: one of gRPC rewrites nothing", "leave it out"
        return
    if route.rewrite.path is not None:
        yield from _replaced((*at, "path"), route, route.rewrite.path)
    in_mesh = [name for name in _leads_to(path, route) if sharing.is_found_by_name(parts, parts.backends.get(name))]
    if route.rewrite.host is not None and in_mesh:
        yield (
            (*at, "host"),
            f"hides the name by which sidecars find the Service of backends.{in_mesh[0]}",
            "leave it out; or a Gateway without `inMesh`",
        )


def _leads_to(path: Path, route: BackendRoute) -> Iterator[str]:
    yield str(path[1])
    yield from route.split or {}


def _replaced(at: Path, route: BackendRoute, path: str) -> Found:
    """Gateway API replaces the one prefix of a rule with one match, or the whole path."""
    kinds = {each.endswith("/*") for each in route.paths or ()}
    if path.endswith("/*"):
        yield at, "ends in `/*`, and is what stands in place of the matched path", f"`{path.removesuffix('/*') or '/'}`"
    elif not kinds:
        yield at, "replaces what `paths` match, and there are none", "`paths` beside it: `[/*]` for every path"
    elif len(kinds) > 1:
        yield at, "replaces exact paths, and what stands before `/*`, which are not alike", "a route for each kind"
    elif kinds == {True} and _number(route) > 1:
        yield at, "replaces what stands before `/*`, of one path and at most one method", "a route for each"


def _redirect(path: Path, parts: Parts, backend: Backend, route: BackendRoute) -> Found:
    redirect = route.redirect
    if redirect is None:
        return
    at = (*path, "redirect")
    if backend.protocol == "GRPC":
        yield at, "is an answer that no client of gRPC follows", "`split` with another backend in a hundred of 100"
        return
    if redirect.host is not None:
        yield from _host((*at, "host"), parts, redirect.host)
    if redirect.path is not None:
        yield from _replaced((*at, "path"), route, redirect.path)
        ends = any(each.endswith("/*") for each in route.paths or ())
        if route.paths == ("/*",):
            wrong = "would be joined to every path without a `/` between them"
            yield (*at, "path"), wrong, "leave it out, or `paths` below which it holds, for example `/old/*`"
        elif ends and redirect.path != "/" and redirect.path.endswith("/"):
            wrong = "ends in `/`, and what stands behind the matched path begins with another"
            yield (*at, "path"), wrong, f"`{redirect.path.removesuffix('/')}`"
    if _leads_back(backend, route, redirect):
        yield at, "leads back to itself, and callers would go round for ever", "another host, or a path elsewhere"


def _host(at: Path, parts: Parts, host: str) -> Found:
    offered = {hostname: each for each in parts.backends.values() for hostname in each.hostnames or ()}
    target = offered.get(host)
    if target is None:
        if parts.backend_names == frozenset(parts.backends):  # else it may be a hostname of another
            wrong = f"{host} is a hostname of no backend, and callers would be sent out of sight"
            yield at, wrong, did_you_mean(host, offered)
        return
    usual, other = (OFFER_TLS_PORT, OFFER_PORT) if target.speaks_tls else (OFFER_PORT, OFFER_TLS_PORT)
    if target.listening_port == other:
        # Envoy Gateway leaves both out of redirects, whatever the scheme (internal/xds/translator/route.go).
        speaks = "with TLS" if target.speaks_tls else "in plain text"
        wrong = f"{host} is offered on port {other} {speaks}, and callers would be sent to port {usual}"
        yield at, wrong, "another `port` for that backend"


def _leads_back(backend: Backend, route: BackendRoute, redirect: Redirect) -> bool:
    if redirect.host is not None and redirect.host not in (backend.hostnames or ()):
        return False
    if redirect.path is None:
        return True
    return any(_covers(path, redirect.path) for path in route.paths or ("/*",))


def _covers(pattern: str, path: str) -> bool:
    prefix = pattern.removesuffix("/*")
    return path == pattern if prefix == pattern else f"{path}/".startswith(f"{prefix}/")


def _together(path: Path, backend: Backend, routes: dict[str, BackendRoute]) -> Found:
    total = sum(map(_number, routes.values()))
    if total > _MOST_MATCHES_IN_ALL:
        wrong = f"make {total} of their paths and methods, and a backend takes {_MOST_MATCHES_IN_ALL}"
        yield path, wrong, "two backends"
    seen: dict[tuple[str, str, frozenset[tuple[str, str]]], str] = {}
    for key, route in routes.items():
        headers = frozenset((route.headers or {}).items())
        for each in route.paths or ("/*",):
            for method in route.methods or ("",):
                first = seen.setdefault((each, method, headers), key)
                if first != key:
                    what = f"{method} {each}".strip()
                    yield (*path, key), f"takes {what}, as the route `{first}` does", "one route for it"
    copies = {route.mirror.to for route in routes.values() if route.mirror is not None}
    if backend.protocol == "GRPC" and len(copies) > 1:
        # Envoy Gateway 1.9.1 names the clusters of copies after the first rule, whichever it is.
        wrong = "copy requests to several backends, and of gRPC Envoy Gateway tells only one apart"
        yield path, wrong, "one backend for the copies of all routes"
