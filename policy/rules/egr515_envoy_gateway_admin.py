"""EGR515: Envoy Gateway's admin server answers others, or tells secrets."""

from collections.abc import Iterable

from policy.facts.addresses import AddressClass, classify, parse_address
from policy.facts.names import LOCALHOST_NAMES
from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, configurations_of
from policy.reading import Node, Reader, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_SWITCHES = (
    ("enablePprof", "serves memory and stacks of the control plane"),
    ("enableDumpConfig", "writes the configuration, with what is secret in it, to the log"),
)


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    # What cannot be read on the way to a configuration is EGR514's finding.
    for configuration in configurations_of(subject, Reader()):
        admin = reader.field(configuration, "admin")
        host = reader.field(admin, "address", "host")
        text = reader.text(host)
        if text is not None and text != "" and not _is_loopback(text):
            reader.report(host, f"{shown(text)} is not loopback, so other pods reach the admin server")
        _judge_switches(reader, admin)
    return reader.findings


def _judge_switches(reader: Reader, admin: Node) -> None:
    for key, what in _SWITCHES:
        switch = reader.field(admin, key)
        if reader.flag(switch) is True:
            reader.report(switch, f"true {what}")


def _is_loopback(text: str) -> bool:
    try:
        return classify(parse_address(text)) is AddressClass.LOOPBACK
    except ValueError:
        return text in LOCALHOST_NAMES


RULE = ObjectRule(
    id="EGR515",
    name="envoy-gateway-admin",
    severity=Severity.BLOCK,
    applies_to=CONFIGURATION_KINDS,
    summary="Envoy Gateway's admin server listens on loopback, without profiles, and the configuration stays out of "
    "the log.",
    why="It asks nobody who they are, and shows every resource that the control plane knows, Secrets among them.",
    remediation="leave out admin.address, admin.enablePprof and admin.enableDumpConfig; look with kubectl port-forward",
    example="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: envoy-gateway-config, namespace: envoy-gateway-system}
data:
  envoy-gateway.yaml: |
    apiVersion: gateway.envoyproxy.io/v1alpha1
    kind: EnvoyGateway
    provider: {type: Kubernetes}
    admin: {address: {host: 127.0.0.1, port: 19000}}
""",
    url="https://gateway.envoyproxy.io/docs/api/extension_types/#envoygatewayadmin",
    source="envoyproxy/gateway: api/v1alpha1/envoygateway_types.go, internal/admin",
    check=_check,
)
