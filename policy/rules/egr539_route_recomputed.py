"""EGR539: a request that one route let in, and that another one takes."""

from collections.abc import Iterable

from policy.readers.authentication import SECURITY_POLICY
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    # What cannot be read of the rest of a policy is EGR506's finding.
    scratch = Reader()
    spec = scratch.field(root(subject.whole), "spec")
    holders = [*scratch.items(scratch.field(spec, "jwt", "providers")), scratch.field(spec, "extAuth")]
    for holder in holders:
        switch = scratch.field(holder, "recomputeRoute")
        if reader.flag(switch) is True:
            reader.report(switch, "true hands the request to another route, whose earlier checks are not made")
    return reader.findings


RULE = ObjectRule(
    id="EGR539",
    name="route-recomputed",
    severity=Severity.WARN,
    applies_to=frozenset({SECURITY_POLICY}),
    summary="A request stays on the route that checked it.",
    why="The filters that already ran are not run again: external authorization, keys and passwords of the new route "
    "never see a request that came by a token. What that token says then decides which service is reached.",
    remediation="leave recomputeRoute out, and route by what the client asks for; else have every route of the "
    "listener make the same checks",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  jwt:
    providers:
      - name: idp
        remoteJWKS: {uri: https://login.example.com/jwks.json}
        extractFrom: {headers: [{name: Authorization, valuePrefix: "Bearer "}]}
        claimToHeaders: [{header: x-tenant, claim: tenant}]
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/jwt-claim-authorization/",
    source="envoyproxy/gateway: api/v1alpha1/jwt_types.go, ext_auth_types.go, internal/xds/translator/httpfilters.go; "
    "Envoy: clear_route_cache",
    check=_check,
)
