"""EGR537: a Gateway that takes the traffic to any address that it names."""

from collections.abc import Iterator

from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, readable_configurations_of
from policy.readers.listeners import GATEWAY
from policy.readers.routes import ENVOY_GATEWAY, GATEWAY_API
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_CLASS = f"{GATEWAY_API}/GatewayClass"
_ADDRESS = "IPAddress"
# istio/istio: pkg/config/constants, pilot/pkg/config/kube/gatewaycommon/classinfo.go. Istio makes these classes itself.
_ISTIO = frozenset(
    {
        "istio",
        "istio-agentgateway",
        "istio-agentgateway-waypoint",
        "istio-east-west",
        "istio-remote",
        "istio-waypoint",
    }
)


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    others = _classes_of_others(subjects)
    for subject in subjects:
        if subject.group_kind != GATEWAY:
            continue
        reader = Reader()
        spec = reader.field(root(subject.whole), "spec")
        name = reader.text(reader.field(spec, "gatewayClassName")) or ""
        # A class that the stack does not show may be Envoy Gateway's, but for those that Istio makes.
        if others.get(name, name in _ISTIO):
            continue
        for address in reader.items(reader.field(spec, "addresses")):
            value, kind = reader.field(address, "value"), reader.text(reader.field(address, "type"))
            text = reader.text(value)
            if text and kind in (None, _ADDRESS):
                reader.report(value, f"takes what pods and nodes send to {shown(text)}")
        yield from (finding.of(subject) for finding in reader.findings)


def _classes_of_others(subjects: tuple[Subject, ...]) -> dict[str, bool]:
    """Each class that the stack shows, and whether a controller other than Envoy Gateway has it for certain."""
    found: dict[str, bool] = {}
    ours = _controllers(subjects)
    for subject in subjects:
        if subject.group_kind == _CLASS:
            controller = Reader().field(root(subject.whole), "spec", "controllerName").value
            is_others = isinstance(controller, str) and not controller.startswith(ENVOY_GATEWAY)
            is_others = is_others and controller not in ours
            found[subject.ref.name] = found.get(subject.ref.name, True) and is_others
    return found


def _controllers(subjects: tuple[Subject, ...]) -> set[object]:
    """What Envoy Gateway calls itself in the configurations of the stack."""
    return {
        Reader().field(configuration, "gateway", "controllerName").value
        for subject in subjects
        if subject.group_kind in CONFIGURATION_KINDS
        for configuration in readable_configurations_of(subject)
    }


RULE = StackRule(
    id="EGR537",
    name="gateway-address",
    severity=Severity.BLOCK,
    applies_to=CONFIGURATION_KINDS | {GATEWAY, _CLASS},
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
    source="CVE-2020-8554; envoyproxy/gateway: internal/infrastructure/kubernetes/proxy/resource_provider.go, "
    "api/v1alpha1/envoygateway_types.go",
    check=_check,
)
