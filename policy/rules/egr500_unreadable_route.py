"""EGR500: a route or a policy that does not say, in a form that can be read, what it is about and where it leads."""

from collections.abc import Iterable

from policy.readers.authentication import SECURITY_POLICY
from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.readers.policy_targets import unreadable_targets
from policy.readers.routes import REFERRING_KINDS, ROUTE_KINDS, read_route, references_in
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_TARGETING = frozenset({SECURITY_POLICY, CLIENT_TRAFFIC_POLICY})


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    if subject.group_kind in ROUTE_KINDS:
        return read_route(subject).findings
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    list(references_in(spec, reader, subject.ref.namespace))  # read for what cannot be read in them
    targets = unreadable_targets(subject) if subject.group_kind in _TARGETING else []
    return {finding.path: finding for finding in (*targets, *reader.findings)}.values()


RULE = ObjectRule(
    id="EGR500",
    name="unreadable-route",
    severity=Severity.BLOCK,
    applies_to=ROUTE_KINDS | REFERRING_KINDS | _TARGETING,
    summary="The references of routes and the targets of policies are known in the preview, and of their right type.",
    why="Whether a route is guarded follows from which policies are about it. A reference or a target that only the "
    "update knows could become a Backend that nothing guards, or take a policy away from the route that needs it.",
    remediation="write kinds, names, namespaces and section names as known text, and lists as lists",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  basicAuth: {users: {name: htpasswd}}
""",
    url="https://gateway-api.sigs.k8s.io/reference/api-types/httproute/",
    source="Gateway API: HTTPRoute, policy attachment; envoyproxy/gateway: api/v1alpha1/policy_helpers.go",
    exceptable=False,
    check=_check,
)
