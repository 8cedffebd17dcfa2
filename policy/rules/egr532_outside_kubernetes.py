"""EGR532: an Envoy Gateway that takes its orders from files, or runs proxies on its own machine."""

from collections.abc import Iterable

from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, PROXY_KINDS, configurations_of, proxy_specs_of
from policy.reading import Node, Reader, is_empty, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ORDINARY = "Kubernetes"
_OTHERS = ("custom", "host")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    for proxy in proxy_specs_of(subject, reader):
        _judge(reader, reader.field(proxy, "provider"), "runs the proxies on the machine of the control plane")
    if subject.group_kind in CONFIGURATION_KINDS:
        # What cannot be read on the way to a configuration is EGR514's finding.
        for configuration in configurations_of(subject, Reader()):
            _judge(
                reader, reader.field(configuration, "provider"), "takes routes from files, or has others run proxies"
            )
    return reader.findings


def _judge(reader: Reader, provider: Node, what: str) -> None:
    kind = reader.field(provider, "type")
    text = reader.text(kind)
    if text not in (None, _ORDINARY):
        reader.report(kind, f"{shown(text)} {what}")
    for key in _OTHERS:
        other = reader.field(provider, key)
        if not is_empty(other) and text in (None, _ORDINARY):
            reader.report(other, what)


RULE = ObjectRule(
    id="EGR532",
    name="outside-kubernetes",
    severity=Severity.BLOCK,
    applies_to=PROXY_KINDS,
    summary="Envoy Gateway takes its objects from the cluster, and runs its proxies as pods.",
    why="Files are judged by no rule, no admission policy and no RBAC. A proxy on the machine itself has its network: "
    "loopback, the metadata service, and no NetworkPolicy.",
    remediation="write provider.type: Kubernetes, or leave provider out",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: edge, namespace: envoy-gateway-system}
spec:
  provider: {type: Kubernetes}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/operations/standalone-deployment-mode/",
    source="envoyproxy/gateway: api/v1alpha1/envoygateway_types.go, envoyproxy_types.go",
    check=_check,
)
