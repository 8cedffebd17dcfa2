"""EGR514: Envoy Gateway is set up so that others write the configuration of its proxies."""

from collections.abc import Iterable

from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, configurations_of
from policy.reading import Node, Reader, is_empty
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_SWITCHES = (
    ("enableEnvoyPatchPolicy", True, "lets whoever may write an EnvoyPatchPolicy write any Envoy configuration"),
    ("enableLua", True, "lets whoever may write an EnvoyExtensionPolicy run code in the proxies"),
    ("disableLua", False, "lets whoever may write an EnvoyExtensionPolicy run code in the proxies"),
    ("enableSDSSecretRef", True, "lets a Secret say where the proxies get their keys from"),
)
_MANAGERS = ("extensionManager", "extensionManagers")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    for configuration in configurations_of(subject, reader):
        _judge(reader, configuration)
    return reader.findings


def _judge(reader: Reader, configuration: Node) -> None:
    extensions = reader.field(configuration, "extensionApis")
    for key, unsafe, what in _SWITCHES:
        switch = reader.field(extensions, key)
        if reader.flag(switch) is unsafe:
            reader.report(switch, f"{f'{unsafe}'.lower()} {what}")
    for key in _MANAGERS:
        manager = reader.field(configuration, key)
        if not is_empty(manager):
            reader.report(manager, "names a server that writes any Envoy configuration")


RULE = ObjectRule(
    id="EGR514",
    name="envoy-gateway-extension",
    severity=Severity.BLOCK,
    applies_to=CONFIGURATION_KINDS,
    summary="Envoy Gateway's configuration can be read, and has EnvoyPatchPolicy, Lua, Secrets as key servers and "
    "extension servers off.",
    why="Each of them lets somebody write into the proxies what no rule and no review sees; Envoy Gateway's own types "
    "warn of a complete security compromise.",
    remediation="leave out enableEnvoyPatchPolicy, enableLua, disableLua, enableSDSSecretRef and extensionManager, and "
    "give Envoy Gateway's values in the object itself, as plain YAML",
    example="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: EnvoyGateway
    provider: {type: Kubernetes}
    extensionApis: {enableEnvoyPatchPolicy: false}
""",
    url="https://gateway.envoyproxy.io/docs/api/extension_types/#extensionapisettings",
    source="envoyproxy/gateway: api/v1alpha1/envoygateway_types.go, envoygateway_helpers.go",
    check=_check,
)
