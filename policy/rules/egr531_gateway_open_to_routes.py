"""EGR531: a Gateway to which everybody in the cluster adds routes or listeners."""

from collections.abc import Iterable

from policy.readers.listeners import GATEWAY, LISTENER_SETS
from policy.readers.selectors import names_values
from policy.reading import Node, Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    for listener in reader.items(reader.field(spec, "listeners")):
        _judge(reader, reader.field(listener, "allowedRoutes", "namespaces"), "routes")
    _judge(reader, reader.field(spec, "allowedListeners", "namespaces"), "listeners")
    return reader.findings


def _judge(reader: Reader, namespaces: Node, what: str) -> None:
    origin, selector = reader.field(namespaces, "from"), reader.field(namespaces, "selector")
    text = reader.text(origin)
    if text == "All":
        reader.report(origin, f"All lets every namespace add {what}")
    elif text == "Selector" and not names_values(reader, selector):
        reader.report(selector, f"names no value of a label, so namespaces that nobody thought of may add {what}")


RULE = ObjectRule(
    id="EGR531",
    name="gateway-open-to-routes",
    severity=Severity.WARN,
    applies_to=LISTENER_SETS | {GATEWAY},
    summary="A Gateway names the namespaces whose routes and listeners it takes.",
    why="Whoever may write a route in any namespace then publishes under the Gateway's hosts, certificate and address, "
    "or takes a path of somebody else's host, whose clients send their tokens along.",
    remediation="leave allowedRoutes out, which is the Gateway's own namespace, or write from: Selector with "
    "matchLabels, or matchExpressions with In, such as the label kubernetes.io/metadata.name and the namespaces",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: apps}
spec:
  gatewayClassName: edge
  listeners:
    - name: https
      port: 443
      protocol: HTTPS
      hostname: n9e.example.com
      tls: {certificateRefs: [{name: n9e-tls}]}
      allowedRoutes:
        namespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: news}}}
""",
    url="https://gateway-api.sigs.k8s.io/guides/user-guides/multiple-ns/",
    source="Gateway API: AllowedRoutes, AllowedListeners; envoyproxy/gateway: internal/gatewayapi/listenerset.go",
    check=_check,
)
