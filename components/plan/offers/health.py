"""Which endpoints are asked: health, circuit breakers, zones, as a BackendTrafficPolicy has them."""

from typing import Any

from components.settings.destinations import OutlierDetection
from components.settings.offers.backends import Backend, BackendConnections, HealthCheck


def health_check(backend: Backend, service_name: str | None) -> dict[str, Any] | None:
    """`healthCheck`: asking endpoints, and learning from what they answer.

    Args:
        backend: the backend.
        service_name: the name by which a sidecar finds its Service, where one stands in between.
    """
    check = backend.health_check
    found = {
        **({} if check is None else {"active": _active(backend, check, service_name or _host(backend))}),
        **({} if backend.outliers is None else {"passive": _passive(backend.outliers)}),
    }
    return found or None


def _active(backend: Backend, check: HealthCheck, host: str) -> dict[str, Any]:
    return {
        "interval": check.interval,
        "timeout": check.timeout,
        "unhealthyThreshold": check.unhealthy_after,
        "healthyThreshold": check.healthy_after,
        **_question(backend, check, host),
    }


def _question(backend: Backend, check: HealthCheck, host: str) -> dict[str, Any]:
    if check.path is not None:
        question = {"path": check.path, "method": "GET", "expectedStatuses": [200], "hostname": host}
        return {"type": "HTTP", "http": question}
    return {"type": "GRPC", "grpc": {}} if backend.protocol == "GRPC" else {"type": "TCP", "tcp": {}}


def _host(backend: Backend) -> str:
    """The host that endpoints are asked for by callers: what all routes rewrite it to, or the first hostname."""
    rewritten = {
        None if each.rewrite is None else each.rewrite.host
        for each in (backend.routes or {}).values()
        if each.redirect is None
    }
    (one,) = rewritten if len(rewritten) == 1 else (None,)
    return one or (backend.hostnames or ("",))[0]


def _passive(outliers: OutlierDetection) -> dict[str, Any]:
    return {
        "consecutive5XxErrors": outliers.consecutive_errors,
        "interval": outliers.interval,
        "baseEjectionTime": outliers.ejection_time,
        "maxEjectionPercent": outliers.max_percent,
    }


def circuit_breaker(connections: BackendConnections) -> dict[str, Any] | None:
    """`circuitBreaker`."""
    given = {
        "maxConnections": connections.max_connections,
        "maxPendingRequests": connections.max_pending_requests,
        "maxParallelRequests": connections.max_parallel_requests,
        "maxRequestsPerConnection": connections.max_requests_per_connection,
    }
    return {key: value for key, value in given.items() if value is not None} or None


def load_balancer(backend: Backend) -> dict[str, Any] | None:
    """`loadBalancer`: the proxies' own zone first, where endpoints say theirs. `type` is the default, and required."""
    if not any(each.zone is not None for each in (*(backend.endpoints or ()), *(backend.standby or ()))):
        return None
    # By default Envoy prefers nothing where there are fewer than six endpoints.
    return {"type": "LeastRequest", "zoneAware": {"preferLocal": {"minEndpointsThreshold": 1, "force": {}}}}
