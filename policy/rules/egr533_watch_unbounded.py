"""EGR533: an Envoy Gateway with Backends that obeys every namespace."""

from collections.abc import Iterable

from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, configurations_of
from policy.readers.selectors import names_values
from policy.reading import Node, Reader, is_empty
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterable[Finding]:
    reader = Reader()
    if not context.grants.backend_api:  # EGR510 then blocks it altogether
        return reader.findings
    # What cannot be read on the way to a configuration is EGR514's finding.
    for configuration in configurations_of(subject, Reader()):
        if Reader().field(configuration, "extensionApis", "enableBackend").value is True:
            watch = reader.field(configuration, "provider", "kubernetes", "watch")
            if not _is_bounded(reader, watch):
                reader.report(
                    watch,
                    "names no namespaces, nor a value of their labels, so Backends and routes of every one may count",
                )
    return reader.findings


def _is_bounded(reader: Reader, watch: Node) -> bool:
    """KubernetesWatchMode: without a type it watches everything, whatever else it says."""
    match reader.text(reader.field(watch, "type")):
        case "Namespaces":
            return not is_empty(reader.field(watch, "namespaces"))
        case "NamespaceSelector":
            return names_values(reader, reader.field(watch, "namespaceSelector"))
        case _:
            return False


RULE = ObjectRule(
    id="EGR533",
    name="watch-unbounded",
    severity=Severity.WARN,
    applies_to=CONFIGURATION_KINDS,
    summary="With the Backend API on, Envoy Gateway watches the namespaces that are named.",
    why="A Backend that somebody may write anywhere makes the proxies connect wherever it says. In a namespace that is "
    "not watched it does nothing.",
    remediation="list the namespaces in provider.kubernetes.watch, with type Namespaces, or select them by matchLabels "
    "or by matchExpressions with In",
    example="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: EnvoyGateway
    gateway: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
    provider: {type: Kubernetes, kubernetes: {watch: {type: Namespaces, namespaces: [apps]}}}
""",
    url="https://gateway.envoyproxy.io/docs/api/extension_types/#kuberneteswatchmode",
    source="envoyproxy/gateway: api/v1alpha1/envoygateway_types.go, internal/provider/kubernetes",
    check=_check,
)
