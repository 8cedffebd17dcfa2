"""EGR535: what clients show to be let in, given to an outside service."""

from collections.abc import Iterator

from policy.readers.authentication import SECURITY_POLICY
from policy.readers.deciding_policies import DecidingPolicies
from policy.readers.listeners import GATEWAY, LISTENER_SETS
from policy.readers.request_headers import Injections
from policy.readers.routes import GRPC_ROUTE, HTTP_ROUTE, HTTP_ROUTE_FILTER, read_route
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_ROUTES = frozenset({HTTP_ROUTE, GRPC_ROUTE})
_PARENTS = LISTENER_SETS | {GATEWAY}
_AUTHORIZATION, _COOKIE = "authorization", "cookie"


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    policies = tuple(each for each in subjects if each.group_kind == SECURITY_POLICY)
    deciding = DecidingPolicies(policies, tuple(each for each in subjects if each.group_kind in _PARENTS))
    injections = Injections(each for each in subjects if each.group_kind == HTTP_ROUTE_FILTER)
    shown = {policy: dict(_shown_in(policy)) for policy in policies}
    used: dict[Subject, Subject] = {}
    for subject in subjects if policies else ():
        if subject.group_kind not in _ROUTES:
            continue
        route = read_route(subject)
        for rule in route.rules:
            about = deciding.on(route, rule) if rule.backends else []
            used |= {policy: subject for policy in about if policy not in used}
            taken = {each: injections.taken_off(rule, each, subject.ref.namespace) for each in rule.backends}
            for header, what in {key: what for policy in about for key, what in shown[policy].items()}.items():
                getting = sorted({f"{backend}" for backend in rule.backends if header not in taken[backend]})
                if getting:
                    message = f"leaves {header} in the requests, so the clients' {what} get to {' and '.join(getting)}"
                    yield Finding(path=rule.node.path, message=message).of(subject)
    for policy, route in used.items():
        for path, what in _passed_on(policy):
            message = f"{what}, so the outside service that {route.ref} leads to gets them"
            yield Finding(path=path, message=message).of(policy)


def _shown_in(policy: Subject) -> Iterator[tuple[str, str]]:
    """The headers in which clients show what `policy` compares, and that Envoy leaves in requests, with what it is."""
    reader = Reader()
    spec = reader.field(root(policy.whole), "spec")
    for provider in reader.items(reader.field(spec, "jwt", "providers")):
        yield from ((header, "tokens") for header in _token_headers(reader, reader.field(provider, "extractFrom")))
    if not is_empty(reader.field(spec, "basicAuth")):
        yield _AUTHORIZATION, "passwords"
    # Envoy decrypts the cookies of a login, in which the tokens are, before it passes them on.
    if not is_empty(reader.field(spec, "oidc")):
        yield _COOKIE, "logins"


def _token_headers(reader: Reader, places: Node) -> list[str]:
    """The headers that tokens are taken from. Those that come in the URL are EGR540's matter."""
    headers, cookies, parameters = (reader.field(places, key) for key in ("headers", "cookies", "params"))
    if all(is_empty(each) for each in (headers, cookies, parameters)):
        return [_AUTHORIZATION]
    names = [(reader.text(reader.field(header, "name")) or "").lower() for header in reader.items(headers)]
    return [*filter(None, names), *([] if is_empty(cookies) else [_COOKIE])]


def _passed_on(policy: Subject) -> Iterator[tuple[str, str]]:
    """What `policy` itself leaves in requests, or adds to them, with its path."""
    spec = Reader().field(root(policy.whole), "spec")
    keys = Reader().field(spec, "apiKeyAuth")
    if not is_empty(keys) and Reader().field(keys, "sanitize").value is not True:
        yield "spec.apiKeyAuth.sanitize", "is not true: the clients' keys stay in the requests"
    if Reader().field(spec, "oidc", "forwardAccessToken").value is True:
        yield "spec.oidc.forwardAccessToken", "true adds the users' access tokens"
    if not is_empty(Reader().field(spec, "oidc", "forwardIDToken")):
        yield "spec.oidc.forwardIDToken", "adds the users' ID tokens"


RULE = StackRule(
    id="EGR535",
    name="credential-passed-on",
    severity=Severity.WARN,
    applies_to=_ROUTES | _PARENTS | {SECURITY_POLICY, HTTP_ROUTE_FILTER},
    summary="The tokens, passwords, logins and keys by which clients are let in do not go on to a Backend.",
    why="The outside service then has what every client showed, and can call with it whatever else it opens, as can "
    "everybody who reads its logs. Envoy Gateway takes off keys alone, and only where it is told to.",
    remediation="remove the header in the rule (requestHeaderModifier): authorization for jwt and basicAuth, cookie "
    "for oidc; write apiKeyAuth.sanitize: true, and forwardClientIDHeader where the service has to know the client; "
    "leave forwardAccessToken and forwardIDToken out, unless the token is made for that service",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: n9e, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [n9e.example.com]
  rules:
    - filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [authorization]}}]
      backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: n9e}]
---
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
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/apikey-auth/",
    source="envoyproxy/gateway: api/v1alpha1/api_key_auth_types.go, oidc_types.go, "
    "internal/xds/translator/jwt.go, basicauth.go, oidc.go; Envoy: JwtProvider, forward",
    check=_check,
)
