"""Alert rules about backends: who fails, what expires, where no proxy runs, and which Backends nobody declared.

Metrics and labels are those of Envoy (seen with 1.40 and the configuration of Envoy Gateway v1.9.1) and of
kube-state-metrics; those of Backends it has only with `BACKEND_METRICS`. `promtool` runs every rule in the tests.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.plan.alert_rules import WINDOW, alert_rule, counted
from components.plan.names import digest
from components.plan.objects import KubeObject
from components.plan.offers.listeners import gateway_name, gateways_of
from components.plan.offers.planning import BackendsPlan
from components.plan.offers.telemetry import log_receivers
from components.settings import Settings

_LEAST_FAILURES: Final = 10
"""In `WINDOW`. With fewer, one caller who tries twice would be a share of a hundred percent."""
_FAILING_SHARE: Final = 0.05
_CERTIFICATE_SECONDS: Final = 14 * 24 * 3600
"""cert-manager renews a certificate of 90 days when 30 are left, so this one was not."""
_CONTROL_PLANE_SECONDS: Final = 30 * 24 * 3600
_CONTROL_PLANE: Final = "xds_certificate|xds_trusted_ca"
"""What Envoy Gateway's bootstrap calls a proxy's own certificate, and that of its controller's signer."""
_OTHERS_AUTHORITIES: Final = ".*/ca[.]crt|unnamed_.*"
"""Bundles of authorities at clusters. Envoy tells of a bundle's first one only, and public bundles hold old ones."""
_COPIES: Final = ".*-mirror-[0-9]+"
"""Clusters that get copies of requests, whose answers nobody reads; each bears the name of the route that copies."""
_DEPLOYMENT_NAME: Final = 48
"""Characters of namespace and name in the name of the proxies' Deployment."""

_PRIVATE: Final = (
    "(0|10|127|169[.]254|192[.]168|172[.](1[6-9]|2[0-9]|3[01])|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))[.].*"
    "|(22[4-9]|2[34][0-9]|25[0-5])[.].*"
    "|:.*|64:.*|2002:.*|[fF].*"
)
"""Addresses that are not the internet's: private, shared, link-local, multicast; IPv6 that is local or holds IPv4."""
_INSIDE: Final = "[^.]*|.*[.](svc|local|localhost|internal|cluster[.]local)[.]?"
"""Names that resolve inside only."""
_USUAL_PORTS: Final = "|80|443"
"""And none, because an endpoint has its port under one of two labels."""
_DECLARED: Final = "cluster_egress_declared_backend"
_ENDPOINT: Final = "envoy_gateway_backend_endpoint_info"
_BACKEND: Final = "envoy_gateway_backend_info"
_SAME: Final = "namespace, name, type, address, ip_port, hostname, fqdn_port, path"

BACKEND_METRICS: Final[Mapping[str, Any]] = {
    "kind": "CustomResourceStateMetrics",
    "spec": {
        "resources": [
            {
                "groupVersionKind": {"group": "gateway.envoyproxy.io", "version": "v1alpha1", "kind": "Backend"},
                "metricNamePrefix": "envoy_gateway",
                "labelsFromPath": {"namespace": ["metadata", "namespace"], "name": ["metadata", "name"]},
                "metrics": [
                    {
                        "name": "backend_info",
                        "help": "A Backend of Envoy Gateway.",
                        "each": {"type": "Info", "info": {"path": ["spec"], "labelsFromPath": {"type": ["type"]}}},
                    },
                    {
                        "name": "backend_endpoint_info",
                        "help": "An endpoint of a Backend.",
                        "each": {
                            "type": "Info",
                            "info": {
                                "path": ["spec", "endpoints"],
                                "labelsFromPath": {
                                    "address": ["ip", "address"],
                                    "ip_port": ["ip", "port"],
                                    "hostname": ["fqdn", "hostname"],
                                    "fqdn_port": ["fqdn", "port"],
                                    "path": ["unix", "path"],
                                },
                            },
                        },
                    },
                ],
            }
        ]
    },
}
"""What kube-state-metrics needs to tell of Backends (its docs: "Custom Resource State Metrics")."""


def backend_rules(settings: Settings, plan: BackendsPlan) -> list[dict[str, Any]]:
    """Alerts about backends, and, before those that need them, the declared Backends as series."""
    return [
        *_failing(settings),
        *_certificates(settings),
        *_down(settings),
        *_uncounted(settings),
        *_declared(settings, plan),
        _undeclared(),
    ]


def _failing(settings: Settings) -> Iterator[dict[str, Any]]:
    own = settings.install.envoy_gateway.namespace
    route = f"(http|grpc)route/{own}/([^/]+)/.*"
    # Each backend's routes have its name, or one that begins with it and a dot.
    selector = f'namespace="{own}",envoy_cluster_name=~"{route}",envoy_cluster_name!~"{_COPIES}"'
    every = _by_backend(f"envoy_cluster_upstream_rq_xx{{{selector}}}", own)
    failed = _by_backend(f'envoy_cluster_upstream_rq_xx{{{selector},envoy_response_code_class="5"}}', own)
    yield alert_rule(
        "BackendFailing",
        f"({failed} / {every}) > {_FAILING_SHARE} and {failed} >= {_LEAST_FAILURES}",
        minutes=5,
        summary="Backend {{ $labels.backend }} fails",
        description="{{ $value | humanizePercentage }} of its answers in ten minutes were 5xx, or there was none.",
        action="Find them in the log of the Gateway's proxies: response_flags and upstream_host say who failed, and "
        "how. Ask whoever runs the backend.",
    )


def _by_backend(counter: str, own: str) -> str:
    """What a counter has counted in the window, by the backend to whose route the cluster belongs."""
    grown = f"increase({counter}[{WINDOW}])"
    route = f"(?:http|grpc)route/{own}/([^/.]+).*"
    return f'sum by (backend) (label_replace({grown}, "backend", "$1", "envoy_cluster_name", "{route}"))'


def _certificates(settings: Settings) -> Iterator[dict[str, Any]]:
    namespace = f'namespace="{settings.install.envoy_gateway.namespace}"'
    listener = f"envoy_listener_ssl_certificate_expiration_unix_time_seconds{{{namespace}}}"
    cluster = "envoy_cluster_ssl_certificate_expiration_unix_time_seconds"
    others = f'{cluster}{{{namespace},envoy_tls_certificate!~"{_OTHERS_AUTHORITIES}|{_CONTROL_PLANE}"}}'
    yield alert_rule(
        "BackendCertificateExpiring",
        f"min by (envoy_tls_certificate) ({listener} or {others}) - time() < {_CERTIFICATE_SECONDS}",
        minutes=10,
        summary="The certificate {{ $labels.envoy_tls_certificate }} expires soon",
        description="It expires in {{ $value | humanizeDuration }}, and then callers, or the backend, refuse it.",
        action="The label names the Secret. Renew what is in it; if cert-manager does, `kubectl describe certificate` "
        "says why it did not.",
    )
    control_plane = f'{cluster}{{{namespace},envoy_tls_certificate=~"{_CONTROL_PLANE}"}}'
    yield alert_rule(
        "EnvoyGatewayCertificateExpiring",
        f"min by (envoy_tls_certificate) ({control_plane}) - time() < {_CONTROL_PLANE_SECONDS}",
        minutes=60,
        summary="Envoy Gateway's own certificates expire soon",
        description="They expire in {{ $value | humanizeDuration }}, and then proxies hear nothing new of their "
        "controller, and new proxies do not start.",
        action="Delete the Secrets `envoy-gateway`, `envoy` and `envoy-rate-limit`, upgrade the release, which makes "
        "new ones, then restart the controller and the proxies.",
    )


def _down(settings: Settings) -> Iterator[dict[str, Any]]:
    own = settings.install.envoy_gateway.namespace
    for name in sorted(gateways_of(settings)):
        gateway = gateway_name(name)
        ready = f'kube_deployment_status_replicas_ready{{namespace="{own}",deployment="{_deployment(own, gateway)}"}}'
        yield alert_rule(
            "BackendGatewayDown",
            f"{ready} == 0 or absent({ready})",
            minutes=1,
            summary=f"The Gateway {gateway} has no ready proxy at all",
            description="No backend is reached through it, or kube-state-metrics is not collected.",
            action=f"`kubectl describe gateway {gateway}` and `kubectl get pods -o wide` in {own}: was it refused, or "
            "is none scheduled?",
        )


def _deployment(namespace: str, gateway: str) -> str:
    """The Deployment of a Gateway's proxies, as Envoy Gateway names it (internal/utils/misc.go, GetHashedName)."""
    whole = f"{namespace}-{gateway}"
    shown = whole if len(whole) <= _DEPLOYMENT_NAME else whole[:_DEPLOYMENT_NAME].removesuffix("-")
    return f"envoy-{shown}-{digest(f'{namespace}/{gateway}', 8)}"


def _uncounted(settings: Settings) -> Iterator[dict[str, Any]]:
    if settings.install.envoy_gateway.redis is None:
        return
    own = settings.install.envoy_gateway.namespace
    errors = f'envoy_cluster_ratelimit_error{{namespace="{own}"}}'
    yield alert_rule(
        "BackendRateLimitDown",
        f"sum by (envoy_cluster_name) ({counted(errors)}) > 0",
        summary="Requests to {{ $labels.envoy_cluster_name }} cannot be counted",
        description="{{ $value | humanize }} requests in ten minutes were refused with 500, because nobody said "
        "whether they were within their limit.",
        action=f"Does Redis answer? `kubectl logs deployment/envoy-ratelimit` in {own}.",
    )


def _declared(settings: Settings, plan: BackendsPlan) -> Iterator[dict[str, Any]]:
    """Each endpoint of a planned Backend, and each that has none, as a series with the labels that its metric has."""
    for backend in _backends(settings, plan):
        named = {"namespace": f"{backend.namespace}", "name": backend.name}
        endpoints = backend.spec.get("endpoints", ())
        for labels in [_endpoint(each) for each in endpoints] or [{"type": backend.spec["type"]}]:
            yield {"record": _DECLARED, "expr": "vector(1)", "labels": {**named, **labels}}


def _backends(settings: Settings, plan: BackendsPlan) -> Iterator[KubeObject]:
    for offered in plan.backends.values():
        yield from (each for each in offered.targets if each.kind == "Backend")
    for gateway in sorted(gateways_of(settings)):
        yield from log_receivers(settings, gateway)


def _endpoint(endpoint: Mapping[str, Any]) -> dict[str, str]:
    if "ip" in endpoint:
        return {"address": endpoint["ip"]["address"], "ip_port": f"{endpoint['ip']['port']}"}
    if "fqdn" in endpoint:
        return {"hostname": endpoint["fqdn"]["hostname"], "fqdn_port": f"{endpoint['fqdn']['port']}"}
    return {"path": endpoint["unix"]["path"]}


def _undeclared() -> dict[str, Any]:
    """In any namespace: whoever may write one Backend anywhere may lead any route there."""
    suspicious = [
        f'{_ENDPOINT}{{address=~"{_PRIVATE}"}}',
        f'{_ENDPOINT}{{hostname=~"{_INSIDE}",hostname!=""}}',
        f'{_ENDPOINT}{{ip_port!~"{_USUAL_PORTS}"}}',
        f'{_ENDPOINT}{{fqdn_port!~"{_USUAL_PORTS}"}}',
        f'{_ENDPOINT}{{path!=""}}',
        f'{_BACKEND}{{type="DynamicResolver"}}',
    ]
    return alert_rule(
        "BackendUndeclared",
        f"({' or '.join(suspicious)}) unless on ({_SAME}) {_DECLARED}",
        minutes=5,
        summary="Backend {{ $labels.namespace }}/{{ $labels.name }} leads where nobody declared it",
        description="To {{ $labels.address }}{{ $labels.hostname }}{{ $labels.path }} port {{ $labels.ip_port }}"
        "{{ $labels.fqdn_port }}: not on the internet, on an unusual port, or wherever a caller says.",
        action="Who applied it? The API server's audit log knows. Declare it, or delete it.",
    )
