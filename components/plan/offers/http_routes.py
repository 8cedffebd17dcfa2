"""What becomes of a backend's requests: the rules of HTTPRoutes and GRPCRoutes."""

from collections.abc import Iterator
from typing import Any, Final

from components.plan.mesh.requests import INTERNAL_HEADERS
from components.plan.names import further_name
from components.plan.objects import KubeObject
from components.plan.offers.matches import grpc_matches, http_matches
from components.plan.offers.targets import mesh_host, reference, references
from components.settings import Settings
from components.settings.destinations import HeaderChanges
from components.settings.offers.backends import Backend
from components.settings.offers.routes import BackendRoute, Redirect

_EVERYTHING: Final = ("/*",)
_REGEX_FILTER: Final = "HTTPRouteFilter"
_ENVOY_GATEWAY: Final = "gateway.envoyproxy.io"


def route_filters(settings: Settings, name: str, backend: Backend) -> Iterator[KubeObject]:
    """What rules of a backend refer to in order to put a path before every path.

    A rule whose filter is missing answers 500. Envoy Gateway replaces the prefix `/` of `/news` by `/v2` literally,
    which makes `/v2news`.
    """
    for key, route in sorted((backend.routes or {}).items()):
        if route.rewrite is None or not _prepends(route):
            continue
        path = (route.rewrite.path or "").rstrip("/")
        yield KubeObject(
            api_version=f"{_ENVOY_GATEWAY}/v1alpha1",
            kind=_REGEX_FILTER,
            name=further_name(name, key),
            namespace=settings.install.envoy_gateway.namespace,
            spec={
                "urlRewrite": {
                    "path": {
                        "type": "ReplaceRegexMatch",
                        "replaceRegexMatch": {"pattern": "^/", "substitution": f"{path}/"},
                    }
                }
            },
        )


def http_rules(settings: Settings, name: str, backend: Backend, *, cluster_domain: str) -> list[dict[str, Any]]:
    """The rules of a backend's one route."""
    if backend.resolver is not None:
        return [_resolved(name, backend, host) for host in sorted(backend.hostnames or ())]
    plans = _Rules(settings, name, backend, cluster_domain)
    if backend.routes is None:
        return [plans.default()]
    return [plans.rule(key, route) for key, route in sorted(backend.routes.items())]


class _Rules:
    """The rules of one backend."""

    def __init__(self, settings: Settings, name: str, backend: Backend, cluster_domain: str) -> None:
        self._settings, self._name, self._backend = settings, name, backend
        self._cluster_domain = cluster_domain
        self._is_http = backend.protocol == "HTTP"

    def default(self) -> dict[str, Any]:
        """Every request goes to the backend."""
        matches = {"matches": http_matches(BackendRoute())} if self._is_http else {}
        filters = [_request_headers(None, self._backend)]
        return {"filters": filters, **matches, "backendRefs": self._references(None)}

    def rule(self, key: str, route: BackendRoute) -> dict[str, Any]:
        """What one route says; the rule has its name, so that policies can speak of it."""
        matches = http_matches(route) if self._is_http else grpc_matches(route)
        rule: dict[str, Any] = {"name": key, **({"matches": matches} if matches else {})}
        if route.redirect is not None:
            return {**rule, "filters": [self._redirect(route, route.redirect)]}
        return {**rule, "filters": self._filters(key, route), "backendRefs": self._references(route)}

    def _references(self, route: BackendRoute | None) -> list[dict[str, Any]]:
        if route is None or route.split is None:
            main, *standby = references(self._name, self._backend)
            return [self._under_its_name(main, self._backend), *standby]
        backends = self._settings.backends or {}
        own = {**reference(self._name, self._backend), "weight": 100 - sum(route.split.values())}
        return [
            self._under_its_name(own, self._backend),
            *(
                self._under_its_name({**reference(other, backends[other]), "weight": percent}, backends[other])
                for other, percent in sorted(route.split.items())
            ),
        ]

    def _under_its_name(self, target: dict[str, Any], backend: Backend) -> dict[str, Any]:
        """A Service is called by its own name where a sidecar stands in between."""
        host = mesh_host(self._settings, backend, cluster_domain=self._cluster_domain)
        if host is None or not self._is_http:
            return target
        return {**target, "filters": [{"type": "URLRewrite", "urlRewrite": {"hostname": host}}]}

    def _filters(self, key: str, route: BackendRoute) -> list[dict[str, Any]]:
        filters = [_request_headers(route.request_headers, self._backend)]
        if route.response_headers is not None:
            changes = _changes(route.response_headers)
            filters.append({"type": "ResponseHeaderModifier", "responseHeaderModifier": changes})
        if route.rewrite is not None:
            rewrite: dict[str, Any] = {} if route.rewrite.host is None else {"hostname": route.rewrite.host}
            if route.rewrite.path is not None and not _prepends(route):
                rewrite["path"] = _replaced(route, route.rewrite.path)
            if rewrite:
                filters.append({"type": "URLRewrite", "urlRewrite": rewrite})
        if _prepends(route):
            own = {"group": _ENVOY_GATEWAY, "kind": _REGEX_FILTER, "name": further_name(self._name, key)}
            filters.append({"type": "ExtensionRef", "extensionRef": own})
        if route.mirror is not None:
            target = reference(route.mirror.to, (self._settings.backends or {})[route.mirror.to])
            mirror = {"backendRef": target, "percent": route.mirror.percent}
            filters.append({"type": "RequestMirror", "requestMirror": mirror})
        return filters

    def _redirect(self, route: BackendRoute, redirect: Redirect) -> dict[str, Any]:
        target: dict[str, Any] = {"statusCode": redirect.status}
        if redirect.host is not None:
            backend = next(
                each for each in (self._settings.backends or {}).values() if redirect.host in (each.hostnames or ())
            )
            target |= {
                "scheme": "https" if backend.speaks_tls else "http",
                "hostname": redirect.host,
                "port": backend.listening_port,
            }
        if redirect.path is not None:
            target["path"] = _replaced(route, redirect.path)
        return {"type": "RequestRedirect", "requestRedirect": target}


def _resolved(name: str, backend: Backend, host: str) -> dict[str, Any]:
    """One host of a resolver.

    Envoy connects to the host and port that stand in `Host`, whatever port that is; so it is compared to the letter,
    and written anew without a port: Envoy then takes 443 for TLS, else 80.
    """
    route = BackendRoute()
    (path,) = http_matches(route)
    names = (host, f"{host}:{backend.listening_port}")
    return {
        "matches": [{**path, "headers": [{"name": "host", "value": each}]} for each in names],
        "filters": [_request_headers(None, backend), {"type": "URLRewrite", "urlRewrite": {"hostname": host}}],
        "backendRefs": references(name, backend),
    }


def _prepends(route: BackendRoute) -> bool:
    return route.rewrite is not None and route.rewrite.path is not None and route.paths == _EVERYTHING


def _replaced(route: BackendRoute, path: str) -> dict[str, str]:
    """A path in place of what was matched: of the whole, or of what stands before `/*`."""
    if any(each.endswith("/*") for each in route.paths or ()):
        return {"type": "ReplacePrefixMatch", "replacePrefixMatch": path}
    return {"type": "ReplaceFullPath", "replaceFullPath": path}


def _request_headers(own: HeaderChanges | None, backend: Backend) -> dict[str, Any]:
    """What Envoy would add about the caller stays inside, and what callers showed to the Gateway."""
    changes = {} if own is None else _changes(own)
    removed = (*INTERNAL_HEADERS, *backend.access.spent_headers, *changes.get("remove", ()))
    changes["remove"] = list(dict.fromkeys(removed))
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": changes}


def _changes(changes: HeaderChanges) -> dict[str, Any]:
    values = sorted((changes.set or {}).items())
    return {
        **({"set": [{"name": name, "value": value} for name, value in values]} if values else {}),
        **({} if changes.remove is None else {"remove": list(changes.remove)}),
    }
