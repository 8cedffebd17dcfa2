"""NetworkPolicies for Envoy Gateway's namespace: its proxies, its controller, and what counts requests together.

Ports: envoyproxy/gateway v1.9.1, internal/xds/bootstrap, internal/infrastructure/kubernetes and charts/gateway-helm.
None lets kubelets in: a node always reaches its own pods (kubernetes.io, "Network Policies").
"""

from collections.abc import Iterator, Mapping
from typing import Final

from components.plan import network_needs
from components.plan.network_needs import Fetcher
from components.plan.network_rules import (
    ANY_POD,
    Rule,
    api_server,
    blocks,
    dns,
    mesh_control_plane,
    network_policy,
    opened,
    pods,
    tcp,
    to_service,
)
from components.plan.objects import KubeObject
from components.plan.offers.listeners import backends_of, gateway_name, gateways_of, listeners_of
from components.plan.offers.proxies import proxy_labels
from components.plan.offers.telemetry import collectors
from components.settings import Settings
from components.settings.install import Redis
from components.settings.offers.backends import Backend
from components.settings.offers.gateways import BackendGateway
from policy.approvals import Approvals

_CONTROLLER: Final = {"control-plane": "envoy-gateway"}
_EVERY_PROXY: Final = {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/managed-by": "envoy-gateway"}
_RATE_LIMIT: Final = {"app.kubernetes.io/component": "ratelimit", "app.kubernetes.io/managed-by": "envoy-gateway"}
_CONFIGURATION: Final = 18000
"""Where the controller tells proxies their configuration. That of Wasm, 18002, nothing of ours uses."""
_LIMITS: Final = 18001
"""Where it tells the rate limit service which limits there are."""
_WEBHOOK: Final = 9443
"""Where the API server asks it about the zone of a new proxy."""
_COUNTING: Final = 8081
"""Where the rate limit service counts for proxies."""
_METRICS: Final = 19001
_SIDECAR_METRICS: Final = (15020, 15090)
_LOAD_BALANCERS: Final = "100.64.0.0/10"
"""From where Alibaba Cloud's classic load balancers ask whether a pod is well; never the address of anybody else
(alibabacloud.com, "CLB Health Check FAQ")."""


def offer_policies(settings: Settings, approvals: Approvals) -> Iterator[KubeObject]:
    """What each pod of Envoy Gateway reaches, and who reaches it; Gateways that nobody declared reach nothing."""
    namespace = settings.install.envoy_gateway.namespace
    for name, gateway in sorted(gateways_of(settings).items()):
        yield network_policy(
            gateway_name(name),
            namespace,
            proxy_labels(settings, name),
            ingress=_into_proxies(settings, name, gateway),
            egress=_out_of_proxies(settings, approvals, name, gateway),
        )
    # A Gateway of one of our classes gets its proxies in this namespace, wherever it stands itself.
    yield network_policy("proxies", namespace, _EVERY_PROXY, ingress=(), egress=())
    yield _controller(settings, approvals, namespace)
    redis = settings.install.envoy_gateway.redis
    if redis is not None:
        yield _rate_limit(settings, redis)


def _into_proxies(settings: Settings, name: str, gateway: BackendGateway) -> Iterator[Rule]:
    callers = [ANY_POD]
    if gateway.source_ranges is not None:
        callers += blocks(sorted({*gateway.source_ranges, _LOAD_BALANCERS}))
    yield {"from": callers, "ports": tcp(*sorted({each.pod_port for each in listeners_of(settings, name)}))}
    # Metrics: Prometheus, wherever in the cluster it runs.
    yield {"from": [ANY_POD], "ports": tcp(_METRICS, *(_SIDECAR_METRICS if gateway.in_mesh else ()))}


def _out_of_proxies(settings: Settings, approvals: Approvals, name: str, gateway: BackendGateway) -> Iterator[Rule]:
    namespace = settings.install.envoy_gateway.namespace
    offered = backends_of(settings, name)
    yield from dns(settings)
    yield {"to": [pods(namespace, _CONTROLLER)], "ports": tcp(_CONFIGURATION)}
    if any(_counts_together(each) for each in offered.values()):
        yield {"to": [pods(namespace, _RATE_LIMIT)], "ports": tcp(_COUNTING)}
    if gateway.in_mesh:
        yield mesh_control_plane(settings)
    yield from _each_once(_services(settings, name, offered))
    answering = [need for _, each in sorted(offered.items()) for need in network_needs.of_backend_by_port(each)]
    fetched = [
        each.need
        for each in network_needs.of_fetches(settings)
        if each.by is Fetcher.PROXIES and each.backend in offered
    ]
    yield from opened([*answering, *fetched], settings, approvals)


def _services(settings: Settings, name: str, offered: Mapping[str, Backend]) -> Iterator[Rule]:
    """What proxies ask in the cluster: Services that are offered, authorizers, collectors of logs and traces."""
    for _, each in sorted(offered.items()):
        if each.service is not None:
            yield to_service(each.service)
        authorizer = None if each.access.external is None else each.access.external.service
        if authorizer is not None:
            yield to_service(authorizer)
    for collector in collectors(settings, name).values():
        yield to_service(collector)


def _each_once(rules: Iterator[Rule]) -> Iterator[Rule]:
    seen: list[Rule] = []
    for rule in rules:
        if rule not in seen:
            seen.append(rule)
            yield rule


def _counts_together(backend: Backend) -> bool:
    limits = {} if backend.limits is None else backend.limits.requests or {}
    return any(limit.counted == "together" for limit in limits.values())


def _controller(settings: Settings, approvals: Approvals, namespace: str) -> KubeObject:
    """Of the outside, it reaches what it fetches itself."""
    fetched = [each.need for each in network_needs.of_fetches(settings) if each.by is Fetcher.CONTROLLER]
    ingress: list[Rule] = [
        {"from": [pods(namespace, _EVERY_PROXY)], "ports": tcp(_CONFIGURATION)},
        # From the API server, whose own address differs from where it answers.
        {"ports": tcp(_WEBHOOK)},
        {"from": [ANY_POD], "ports": tcp(_METRICS)},
    ]
    if settings.install.envoy_gateway.redis is not None:
        ingress.append({"from": [pods(namespace, _RATE_LIMIT)], "ports": tcp(_LIMITS)})
    return network_policy(
        "control-plane",
        namespace,
        _CONTROLLER,
        ingress=ingress,
        egress=[*dns(settings), api_server(approvals), *opened(fetched, settings, approvals)],
    )


def _rate_limit(settings: Settings, redis: Redis) -> KubeObject:
    namespace = settings.install.envoy_gateway.namespace
    return network_policy(
        "rate-limit",
        namespace,
        _RATE_LIMIT,
        ingress=[
            {"from": [pods(namespace, _EVERY_PROXY)], "ports": tcp(_COUNTING)},
            {"from": [ANY_POD], "ports": tcp(_METRICS)},
        ],
        egress=[
            *dns(settings),
            {"to": [pods(namespace, _CONTROLLER)], "ports": tcp(_LIMITS)},
            to_service(redis),
        ],
    )
