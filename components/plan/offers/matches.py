"""What a route looks at: paths, methods and headers, as Gateway API has them."""

import re
from typing import Any

from components.settings.offers.routes import BackendRoute


def http_matches(route: BackendRoute) -> list[dict[str, Any]]:
    """An HTTPRoute's matches: every path with every method."""
    paths = [{"path": _path(path)} for path in sorted(route.paths or ("/*",))]
    methods = [{"method": method} for method in sorted(route.methods or ())] or [{}]
    return [{**path, **method, **_headers(route)} for path in paths for method in methods]


def grpc_matches(route: BackendRoute) -> list[dict[str, Any]]:
    """A GRPCRoute's matches; one without conditions matches everything."""
    if route.paths is None:
        return [_headers(route)] if route.headers is not None else []
    return [{"method": _method(path), **_headers(route)} for path in sorted(route.paths)]


def _path(path: str) -> dict[str, str]:
    if path.endswith("/*"):
        # Gateway API compares whole segments: `/v1` matches `/v1` and what is below, and never `/v10`.
        return {"type": "PathPrefix", "value": path.removesuffix("/*") or "/"}
    return {"type": "Exact", "value": path}


def _method(path: str) -> dict[str, str]:
    service, method = path.removeprefix("/").split("/")
    if method != "*":
        return {"type": "Exact", "service": service, "method": method}
    # Of an exact service alone Envoy Gateway makes a prefix, which another service's longer name has too.
    return {"type": "RegularExpression", "service": re.escape(service)}


def _headers(route: BackendRoute) -> dict[str, Any]:
    if route.headers is None:
        return {}
    return {"headers": [{"name": name, "value": value} for name, value in sorted(route.headers.items())]}
