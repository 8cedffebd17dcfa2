"""EGR535: the clients' own keys and tokens, given to an outside service."""

from collections.abc import Iterator

from policy.readers.authentication import SECURITY_POLICY
from policy.readers.policy_targets import Attachments
from policy.readers.routes import GRPC_ROUTE, HTTP_ROUTE, read_route
from policy.reading import Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_ROUTES = frozenset({HTTP_ROUTE, GRPC_ROUTE})


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    passing = [each for each in subjects if each.group_kind == SECURITY_POLICY and [*_passed_on(each)]]
    attachments = Attachments(passing)
    found: dict[Subject, Subject] = {}
    for subject in subjects:
        route = read_route(subject) if passing and subject.group_kind in _ROUTES else None
        if route is None or not route.leads_to_backend:
            continue
        ref = subject.ref
        about = attachments.on(kind=ref.kind, namespace=ref.namespace, name=ref.name, subject=subject)
        for parent in route.parents:
            about += attachments.on(kind=parent.kind, namespace=parent.namespace, name=parent.name, subject=None)
        for each in about:
            found.setdefault(each.policy, subject)
    for policy, route in found.items():
        for path, what in _passed_on(policy):
            message = f"{what}, so the outside service that {route.ref} leads to gets them"
            yield Finding(path=path, message=message).of(policy)


def _passed_on(policy: Subject) -> Iterator[tuple[str, str]]:
    """What `policy` leaves in requests, with its path."""
    spec = Reader().field(root(policy.whole), "spec")
    keys = Reader().field(spec, "apiKeyAuth")
    if not is_empty(keys) and Reader().field(keys, "sanitize").value is not True:
        yield "spec.apiKeyAuth.sanitize", "is not true: the clients' keys stay in the requests"
    if Reader().field(spec, "oidc", "forwardAccessToken").value is True:
        yield "spec.oidc.forwardAccessToken", "true adds the users' access tokens"


RULE = StackRule(
    id="EGR535",
    name="credential-passed-on",
    severity=Severity.WARN,
    applies_to=_ROUTES | {SECURITY_POLICY},
    summary="API keys and users' access tokens do not go on to a Backend.",
    why="The outside service then has the keys or tokens of every client, and can call with them whatever else they "
    "open, as can everybody who reads its logs.",
    remediation="write apiKeyAuth.sanitize: true, and forwardClientIDHeader where the service has to know the client; "
    "leave forwardAccessToken out, unless the token is made for that service",
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
  apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}], sanitize: true}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/apikey-auth/",
    source="envoyproxy/gateway: api/v1alpha1/api_key_auth_types.go, oidc_types.go",
    check=_check,
)
