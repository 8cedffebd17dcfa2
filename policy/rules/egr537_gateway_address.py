"""EGR537: a Gateway that takes the traffic to any address that it names."""

from collections.abc import Iterator

from policy.readers.listeners import GATEWAY
from policy.readers.routes import ENVOY_GATEWAY, GATEWAY_API
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_CLASS = f"{GATEWAY_API}/GatewayClass"
_ISTIO = "istio"
_ADDRESS = "IPAddress"


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    # A class that the stack does not show may be Envoy Gateway's; those that Istio makes itself are called after it.
    others = {
        subject.ref.name
        for subject in subjects
        if subject.group_kind == _CLASS
        and not f"{Reader().field(root(subject.whole), 'spec', 'controllerName').value}".startswith(ENVOY_GATEWAY)
    }
    for subject in subjects:
        if subject.group_kind != GATEWAY:
            continue
        reader = Reader()
        spec = reader.field(root(subject.whole), "spec")
        name = reader.text(reader.field(spec, "gatewayClassName")) or ""
        if name in others or name.startswith(_ISTIO):
            continue
        for address in reader.items(reader.field(spec, "addresses")):
            value, kind = reader.field(address, "value"), reader.text(reader.field(address, "type"))
            text = reader.text(value)
            if text and kind in (None, _ADDRESS):
                reader.report(value, f"takes what pods and nodes send to {shown(text)}")
        yield from (finding.of(subject) for finding in reader.findings)


RULE = StackRule(
    id="EGR537",
    name="gateway-address",
    severity=Severity.BLOCK,
    applies_to=frozenset({GATEWAY, _CLASS}),
    summary="No Gateway of Envoy Gateway names addresses.",
    why="Envoy Gateway makes externalIPs of them. Every node then sends traffic to these addresses to the proxies, "
    "whoever owns them: whoever may write a Gateway reads what others send to an outside address (CVE-2020-8554).",
    remediation="remove addresses; ask for an address of a load balancer with an annotation of its Service, in the "
    "EnvoyProxy",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: apps}
spec:
  gatewayClassName: edge
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: n9e.example.com}]
""",
    url="https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#denyserviceexternalips",
    source="CVE-2020-8554; envoyproxy/gateway: internal/infrastructure/kubernetes/proxy/resource_provider.go",
    check=_check,
)
