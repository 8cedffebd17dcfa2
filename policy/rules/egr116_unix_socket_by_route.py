"""EGR116: a unix socket that clients are led to."""

from collections.abc import Iterator

from policy.destinations import BACKEND, destinations_of
from policy.readers.routes import ROUTE_KINDS, read_route
from policy.rule import Context, Finding, Severity, StackRule, Subject


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    sockets = {
        (subject.ref.namespace, subject.ref.name): place.text
        for subject in subjects
        if subject.group_kind == BACKEND
        for place in destinations_of(subject).sockets
    }
    for subject in subjects:
        if subject.group_kind not in ROUTE_KINDS:
            continue
        # What a route only asks whether to let a request in answers no client.
        for backend in (each for rule in read_route(subject).rules for each in rule.backends):
            path = sockets.get((backend.namespace, backend.name))
            if path is not None:
                message = f"{backend} is the socket {path}, which is for policies and logs alone"
                yield Finding(path=backend.node.path, message=message).of(subject)


RULE = StackRule(
    id="EGR116",
    name="unix-socket-by-route",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | {BACKEND},
    summary="No route leads or mirrors to a unix socket, also where it is approved.",
    why="A socket is approved for what Envoy itself asks or tells: authorization, external processing, logs. What "
    "listens there trusts Envoy, and would take a client's request for Envoy's own. Envoy Gateway answers such a route "
    "with 500.",
    remediation="refer to the socket in extAuth, extProc or the access log, and lead routes to an address",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: n9e, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [n9e.example.com]
  rules: [{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: n9e}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  extAuth: {grpc: {backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: authorizer}]}}
""",
    url="approvals.md#unixsocket",
    source="envoyproxy/gateway: internal/gatewayapi/validate.go, validateBackendRefBackend",
    check=_check,
)
