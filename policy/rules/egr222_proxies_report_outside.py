"""EGR222: proxies that report to a host outside. A warning: a collector may be a service that is rented."""

import re
from collections.abc import Iterator

from policy.destinations import destinations_of
from policy.facts.names import NameClass, classify_name
from policy.readers.envoy_gateway_config import PROXY_KINDS
from policy.readers.mesh_config import MESH_CONFIG_KINDS
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_REPORTS = re.compile(r"(^|[.\]])(extensionProviders|defaultConfig|telemetry)\b")  # EGR100 refuses the other spelling
_INSIDE = frozenset({NameClass.CLUSTER, NameClass.SINGLE_LABEL, NameClass.UNLISTED_TLD, NameClass.LOCALHOST})


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    found = destinations_of(subject)
    for place in found.names:
        kind = classify_name(place.name, context.grants.cluster_domain, context.namespaces)
        if _REPORTS.search(place.path) and kind not in _INSIDE:
            yield Finding(path=place.path, message=f"{place.text} is outside the cluster, and hears of every request")
    for place in found.addresses:
        if _REPORTS.search(place.path) and not place.classes:
            yield Finding(path=place.path, message=f"{place.text} is outside the cluster, and hears of every request")


RULE = ObjectRule(
    id="EGR222",
    name="proxies-report-outside",
    severity=Severity.WARN,
    applies_to=MESH_CONFIG_KINDS | PROXY_KINDS,
    summary="Logs, traces, metrics and questions about requests go from the proxies to services of the cluster.",
    why="What proxies report holds URLs with their queries, headers and identities of every workload. It leaves "
    "from every pod, past the egress gateway, and nobody declared it.",
    remediation="send it to a collector in the cluster; what that one passes on is a destination like any other, with "
    "an owner",
    example="""\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: mesh, namespace: istio-system}
spec:
  meshConfig:
    outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    extensionProviders:
      - {name: traces, opentelemetry: {service: collector.monitoring.svc.cluster.local, port: 4317}}
""",
    url="https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ExtensionProvider",
    source="istio/api: mesh/v1alpha1/config.proto, mesh/v1alpha1/proxy.proto; istio/istio: "
    "pilot/pkg/model/extensionproviders.go; envoyproxy/gateway: api/v1alpha1/envoyproxy_types.go",
    check=_check,
)
