"""What is told of traffic that leaves: access logs as JSON on standard output, spans, and alert rules."""

from dataclasses import dataclass
from typing import Any, Final

from components.plan.alerts import prometheus_rule
from components.plan.egress_gateway import client_namespaces, direct_namespaces, gateways_of
from components.plan.mesh.address import GATEWAY, gateway_name, pods_of_gateway
from components.plan.mesh.telemetry import CLIENT_LOG, GATEWAY_LOG, TRACES, URL_WITHOUT_QUERY, leaves
from components.plan.objects import KubeObject
from components.plan.offers import BackendsPlan
from components.settings import Settings

_CLIENTS: Final = {"match": {"mode": "CLIENT"}}
"""Of a pod's traffic only what it sends; what it receives is no egress."""


@dataclass(frozen=True, kw_only=True)
class ObservabilityPlan:
    """Objects that tell what leaves."""

    mesh: tuple[KubeObject, ...]
    """For the gateways, for the mesh as a whole, and alerts about both."""
    clients: tuple[KubeObject, ...]
    """For client namespaces, where there are traces: one each."""


def plan_observability(settings: Settings, backends: BackendsPlan | None, *, cluster_domain: str) -> ObservabilityPlan:
    """Logs of everything at the gateways, and of what leaves, or would, everywhere else; alerts, also on backends."""
    log = {
        **_CLIENTS,
        "providers": _providers(settings, CLIENT_LOG),
        "filter": {"expression": leaves(settings, cluster_domain=cluster_domain)},
    }
    root = _telemetry("undeclared-egress", settings.install.istio.namespace, {"accessLogging": [log]})
    direct = direct_namespaces(settings)
    # Only sidecars have spans of their clients' side.
    has_spans = settings.egress.mesh.tracing is not None and settings.egress.mesh.data_plane == "sidecar"
    clients = (
        _telemetry("cluster-egress", namespace, _traced(settings, goes_outside=namespace in direct, **_CLIENTS))
        for namespace in (client_namespaces(settings) if has_spans else ())
    )
    alerts = settings.egress.mesh.alerts
    rules = () if alerts is None else (prometheus_rule(settings, alerts, backends),)
    return ObservabilityPlan(
        mesh=(*_gateways(settings), root, *rules),
        clients=tuple(clients),
    )


def _gateways(settings: Settings) -> tuple[KubeObject, ...]:
    """For all gateways together, where they have a namespace of their own; else for each by its labels."""
    spec: dict[str, Any] = {
        "accessLogging": [{"providers": _providers(settings, GATEWAY_LOG)}],
        # Not what clients' proxies add: the hosts outside are no part of our traces.
        **_traced(settings, goes_outside=True),
    }
    if settings.egress.mesh.flavour != "asm":
        return (_telemetry(GATEWAY, settings.egress.mesh.gateway.namespace, spec),)
    places = {gateway_name(name): pods_of_gateway(settings, name) for name in gateways_of(settings)}
    return tuple(
        _telemetry(name, namespace, {"selector": {"matchLabels": labels}, **spec})
        for name, (namespace, labels) in places.items()
    )


def _providers(settings: Settings, name: str) -> list[dict[str, str]]:
    """Who writes a log. A managed mesh's configuration is not ours, so there it is Istio's own provider."""
    return [{"name": "envoy" if settings.egress.mesh.flavour == "asm" else name}]


def _traced(settings: Settings, *, goes_outside: bool, **more: Any) -> dict[str, Any]:
    """The `tracing` of a Telemetry, if spans are wanted.

    Args:
        settings: the declaration.
        goes_outside: these proxies' requests go to hosts outside, which must not see trace headers.
        more: further fields.
    """
    tracing = settings.egress.mesh.tracing
    if tracing is None:
        return {}
    spans: dict[str, Any] = {
        **more,
        "providers": [{"name": TRACES}],
        "randomSamplingPercentage": tracing.percent,
        # Envoy's own tag holds the query, and that may hold a secret.
        "customTags": {"http.url": {"formatter": {"value": URL_WITHOUT_QUERY}}},
    }
    if goes_outside:
        spans["disableContextPropagation"] = True
    return {"tracing": [spans]}


def _telemetry(name: str, namespace: str, spec: dict[str, Any]) -> KubeObject:
    return KubeObject(api_version="telemetry.istio.io/v1", kind="Telemetry", name=name, namespace=namespace, spec=spec)
