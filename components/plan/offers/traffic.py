"""How a backend is asked, and how much: BackendTrafficPolicies for its route, in force before it.

Without one Envoy Gateway retries nothing, and limits connections to Envoy's defaults.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.plan.objects import KubeObject
from components.plan.offers.attaching import attached, policy_name
from components.plan.offers.counting import rate_limit
from components.plan.offers.health import circuit_breaker, health_check, load_balancer
from components.plan.offers.targets import mesh_host
from components.settings import Settings
from components.settings.offers.backends import Backend
from components.settings.offers.routes import BackendRetries, BackendRoute

_UNANSWERED: Final = ("connect-failure", "refused-stream", "reset")
"""Envoy's triggers for an endpoint that does not answer (retry_types.go)."""


def traffic_policies(settings: Settings, name: str, backend: Backend, *, cluster_domain: str) -> Iterator[KubeObject]:
    """Limits, health, retries and timeouts: one policy for the route, and one for each rule that differs.

    A rule's policy takes the place of the route's, so each is whole.
    """
    service_name = mesh_host(settings, backend, cluster_domain=cluster_domain)
    routes = backend.routes or {}
    common, patience = _common(backend, service_name), _patience(routes)
    first, *others = patience.values() or ({},)
    if all(each == first for each in others):
        common |= _merged(common, first)
        patience = {}
    own = {rule: each for rule, each in patience.items() if each}
    if common and (len(own) < len(routes) or not routes):  # what redirects has limits, too
        yield _policy(settings, name, backend, common)
    for rule, each in sorted(own.items()):
        yield _policy(settings, name, backend, _merged(common, each), rule)


def _policy(
    settings: Settings, name: str, backend: Backend, spec: Mapping[str, Any], rule: str | None = None
) -> KubeObject:
    return KubeObject(
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="BackendTrafficPolicy",
        name=policy_name(name, backend, rule),
        namespace=settings.install.envoy_gateway.namespace,
        spec={"targetRefs": attached(name, backend, rule), **spec},
    )


def _common(backend: Backend, service_name: str | None) -> dict[str, Any]:
    limits, connections = backend.limits, backend.connections
    parts = {
        "healthCheck": health_check(backend, service_name),
        "loadBalancer": load_balancer(backend),
        "circuitBreaker": None if connections is None else circuit_breaker(connections),
        "timeout": None if connections is None else _timeouts(connections.connect_timeout, connections.idle_timeout),
        "rateLimit": None if limits is None else rate_limit(limits),
        "requestBuffer": None if limits is None or limits.body_bytes is None else {"limit": str(limits.body_bytes)},
    }
    return {key: part for key, part in parts.items() if part is not None}


def _timeouts(connect: str | None, idle: str | None) -> dict[str, Any] | None:
    found = {
        **({} if connect is None else {"tcp": {"connectTimeout": connect}}),
        **({} if idle is None else {"http": {"connectionIdleTimeout": idle}}),
    }
    return found or None


def _patience(routes: Mapping[str, BackendRoute]) -> dict[str, dict[str, Any]]:
    """How long each rule waits, and how often it asks again."""
    return {
        rule: {
            **({} if route.timeout is None else {"timeout": {"http": {"requestTimeout": route.timeout}}}),
            **({} if route.retries is None else {"retry": _retry(route.retries)}),
        }
        for rule, route in routes.items()
        if route.redirect is None  # nobody is asked
    }


def _retry(retries: BackendRetries) -> dict[str, Any]:
    wait = {} if retries.per_try_timeout is None else {"perRetry": {"timeout": retries.per_try_timeout}}
    return {
        "numRetries": retries.attempts,
        "retryOn": {"triggers": [*_UNANSWERED, "retriable-status-codes"], "httpStatusCodes": sorted(retries.codes)},
        **wait,
    }


def _merged(common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Both; of timeouts each has a part."""
    merged = {**common, **own}
    if "timeout" in common and "timeout" in own:
        http = {**common["timeout"].get("http", {}), **own["timeout"]["http"]}
        merged["timeout"] = {**common["timeout"], "http": http}
    return merged
