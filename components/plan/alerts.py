"""Alert rules for Prometheus' operator: who is refused, what expires, and where no gateway runs.

Metrics and labels are those of Istio's proxies (istio/proxy: source/extensions/filters/http/istio_stats), istio-agent,
istiod and kube-state-metrics, collected as docs/observability.md says; `promtool` runs every rule in the tests.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from components.plan.alert_rules import alert_rule, counted
from components.plan.egress_gateway import gateways_of
from components.plan.mesh.address import gateway_name
from components.plan.objects import KubeObject
from components.plan.offers import BackendsPlan
from components.plan.offers.alerts import backend_rules
from components.settings import Settings
from components.settings.egress import FurtherGateway
from components.settings.mesh import Alerts

_WORKLOAD_CERTIFICATE_SECONDS: Final = 6 * 3600
"""They live for a day and are renewed after half of it (istio-agent's defaults), so this one was not."""
_ROOT_CERTIFICATE_SECONDS: Final = 30 * 24 * 3600
_TRAFFIC: Final = ("istio_requests_total", "istio_tcp_connections_opened_total")
_RBAC: Final = ("envoy_http_rbac", "envoy_tcp")
"""What Istio's bootstrap makes of the counters of Envoy's RBAC filters; `authz_...` makes the second one theirs."""
_ZONE: Final = "label_topology_kubernetes_io_zone"


def prometheus_rule(settings: Settings, alerts: Alerts, backends: BackendsPlan | None) -> KubeObject:
    """All alerts as one PrometheusRule; those about backends as a group of their own, where there are any."""
    rules = [*_refusals(settings), *_certificates(settings)]
    for name, gateway in gateways_of(settings).items():
        rules += _gateway_down(settings, gateway_name(name), gateway)
    groups = {"cluster-egress": rules}
    if backends is not None:
        groups["cluster-egress-backends"] = backend_rules(settings, backends)
    for rule in (each for group in groups.values() for each in group if "alert" in each):
        rule["labels"] = {"severity": alerts.severity}
    return KubeObject(
        api_version="monitoring.coreos.com/v1",
        kind="PrometheusRule",
        name="cluster-egress",
        namespace=alerts.namespace,
        labels=alerts.labels or {},
        spec={"groups": [{"name": name, "rules": group} for name, group in groups.items()]},
    )


def _refusals(settings: Settings) -> Iterator[dict[str, Any]]:
    by = "source_workload_namespace, source_workload"
    yield alert_rule(
        "EgressUndeclaredRefused",
        _undeclared(by, "BlackHoleCluster"),
        summary="{{ $labels.source_workload_namespace }}/{{ $labels.source_workload }} asks for undeclared hosts",
        description="Its sidecars refused {{ $value | humanize }} requests or connections in ten minutes.",
        action='Find the hosts: lines with declared="no" in the log of its pods\' istio-proxy. Declare what it needs; '
        "ask its team about the rest.",
    )
    open_namespaces = sorted(name for name, each in settings.cluster.namespaces.items() if each.outbound == "allow-any")
    yield alert_rule(
        "EgressUndeclaredPassed",
        _undeclared(by, "PassthroughCluster", except_in=open_namespaces),
        summary="{{ $labels.source_workload_namespace }}/{{ $labels.source_workload }} reaches undeclared hosts",
        description="Its sidecars let {{ $value | humanize }} requests or connections through in ten minutes; "
        "`posture: enforce` would refuse them.",
        action='Find the hosts: lines with declared="no" in the log of its pods\' istio-proxy. Declare what it needs '
        "before you enforce.",
    )
    namespace = settings.egress.mesh.gateway.namespace
    denied = f'namespace="{namespace}",authz_enforce_result="denied"'
    would_be = f'namespace="{namespace}",authz_dry_run_result="denied"'
    if settings.egress.posture == "enforce":
        selector, verb = denied, "refused"
    else:
        selector, verb = would_be, "would refuse"
    yield alert_rule(
        "EgressClientRefused",
        f"sum by (namespace, pod) ({counted(*(f'{metric}{{{selector}}}' for metric in _RBAC))}) > 0",
        summary=f"The egress gateway {verb} a client",
        description=f"{{{{ $labels.pod }}}} {verb} {{{{ $value | humanize }}}} requests or connections in ten minutes: "
        "the host is declared, but not for this client, method or path.",
        action='Find the client: lines with declared="host-only" in the gateway\'s log. Add it to the destination, or '
        "ask its team.",
    )


def _undeclared(by: str, cluster: str, *, except_in: list[str] | None = None) -> str:
    selector = f'reporter="source",destination_service_name="{cluster}"'
    if except_in:
        selector += f',source_workload_namespace!~"{"|".join(except_in)}"'
    return f"sum by ({by}) ({counted(*(f'{metric}{{{selector}}}' for metric in _TRAFFIC))}) > 0"


def _certificates(settings: Settings) -> Iterator[dict[str, Any]]:
    namespace = settings.egress.mesh.gateway.namespace
    yield alert_rule(
        "EgressGatewayCertificateExpiring",
        f'istio_agent_cert_expiry_seconds{{namespace="{namespace}",resource_name="default"}} '
        f"< {_WORKLOAD_CERTIFICATE_SECONDS}",
        minutes=10,
        summary="The certificate of {{ $labels.pod }} is not renewed",
        description="It expires in {{ $value | humanizeDuration }}, and then no client gets through this pod.",
        action="Look for errors of the certificate authority in the logs of istiod and of the pod's istio-proxy.",
    )
    yield alert_rule(
        "MeshRootCertificateExpiring",
        f"citadel_server_root_cert_expiry_seconds < {_ROOT_CERTIFICATE_SECONDS}",
        minutes=60,
        summary="The root certificate of the mesh expires soon",
        description="It expires in {{ $value | humanizeDuration }}, and then all mTLS in the mesh fails, egress too.",
        action="Rotate it: istio.io, Plug in CA Certificates, or istiod's own renewal of a self-signed one.",
    )


def _gateway_down(settings: Settings, name: str, gateway: FurtherGateway) -> Iterator[dict[str, Any]]:
    nodes = settings.egress.nodes if gateway.nodes is None else gateway.nodes
    known = f'{_ZONE}!=""'
    selector = ",".join([known, *(f'{_node_label(key)}="{value}"' for key, value in sorted(nodes.labels.items()))])
    zones = f"count by ({_ZONE}) (kube_node_labels{{{selector}}})"
    # A Deployment's pods: its name, a hash of the template, five characters.
    pods = f'namespace="{settings.egress.mesh.gateway.namespace}",pod=~"{name}-[a-z0-9]+-[a-z0-9]{{5}}"'
    ready = f'kube_pod_status_ready{{{pods},condition="true"}} == 1'
    placed = (
        f"({ready}) * on (namespace, pod) group_left (node) kube_pod_info{{{pods}}} "
        f"* on (node) group_left ({_ZONE}) kube_node_labels{{{known}}}"
    )
    pods_at_least = gateway.replicas if gateway.autoscaling is None else gateway.autoscaling.min_replicas
    yield alert_rule(
        "EgressGatewayDownInZone",
        f"({zones} unless on ({_ZONE}) count by ({_ZONE}) ({placed})) "
        # With fewer pods than zones, some zone always has none.
        f"and on () (count({zones}) <= {pods_at_least})",
        minutes=5,
        summary=f"{name} has no ready pod in {{{{ $labels.{_ZONE} }}}}",
        description="{{ $value }} egress nodes are there. Traffic leaves by other zones; if those fail, none does.",
        action=f"`kubectl get pods -o wide` for {name}: why is none ready, or scheduled, on the zone's egress nodes?",
    )
    yield alert_rule(
        "EgressGatewayDown",
        f"absent({ready})",
        minutes=1,
        summary=f"{name} has no ready pod at all",
        description="Nothing leaves through it, or kube-state-metrics is not collected.",
        action=f"`kubectl get pods -o wide` for {name}; undo the last change to it or to its nodes.",
    )


def _node_label(key: str) -> str:
    """A node's label as kube-state-metrics names it (its internal/store/utils.go): in snake case."""
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", key)
    return "label_" + re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain).lower()
