"""EGR510: Envoy Gateway's Backend API is on, and nobody approved it."""

from collections.abc import Iterable

from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, configurations_of
from policy.reading import Reader, as_mapping
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterable[Finding]:
    reader = Reader()
    # What cannot be read on the way to the switch is EGR514's finding.
    for configuration in configurations_of(subject, Reader()):
        extensions = Reader().field(configuration, "extensionApis")
        if as_mapping(extensions.value) is None:
            continue
        switch = reader.field(extensions, "enableBackend")
        if reader.flag(switch) is True and not context.grants.backend_api:
            reader.report(switch, "true turns the Backend API on, which is not approved")
    return reader.findings


RULE = ObjectRule(
    id="EGR510",
    name="backend-api-enabled",
    severity=Severity.BLOCK,
    applies_to=CONFIGURATION_KINDS,
    summary="Envoy Gateway's Backend API is off unless it is approved.",
    why="With it, whoever may write a Backend makes the proxies connect to any address, past NetworkPolicies for pods "
    "and past the grants that Services need. That is why it is off by default.",
    remediation="leave out extensionApis.enableBackend, or have the security team approve it under backendApi",
    example="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: EnvoyGateway
    provider: {type: Kubernetes}
    extensionApis: {enableBackend: false}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/backend/",
    source="envoyproxy/gateway: api/v1alpha1/envoygateway_types.go; CVE-2021-25740",
    check=_check,
)
