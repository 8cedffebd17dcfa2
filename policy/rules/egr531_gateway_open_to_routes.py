"""EGR531: a Gateway to which everybody in the cluster adds routes or listeners."""

from collections.abc import Iterable

from policy.readers.listeners import GATEWAY
from policy.readers.routes import GATEWAY_API
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_LISTENER_SETS = frozenset({f"{GATEWAY_API}/ListenerSet", "gateway.networking.x-k8s.io/XListenerSet"})


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
    elif text == "Selector" and all(
        is_empty(reader.field(selector, key)) for key in ("matchLabels", "matchExpressions")
    ):
        reader.report(selector, f"selects every namespace, so each of them may add {what}")


RULE = ObjectRule(
    id="EGR531",
    name="gateway-open-to-routes",
    severity=Severity.WARN,
    applies_to=_LISTENER_SETS | {GATEWAY},
    summary="A Gateway names the namespaces whose routes and listeners it takes.",
    why="Whoever may write a route in any namespace then publishes under the Gateway's hosts, certificate and address, "
    "or takes a path of somebody else's host, whose clients send their tokens along.",
    remediation="leave allowedRoutes out, which is the Gateway's own namespace, or write from: Selector with the label "
    "kubernetes.io/metadata.name of each namespace",
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
