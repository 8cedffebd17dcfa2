"""EGR540: tokens and keys that clients write into the URL."""

from collections.abc import Iterable

from policy.readers.authentication import SECURITY_POLICY
from policy.reading import Reader, is_empty, root
from policy.rule import UNKNOWN, Context, Finding, ObjectRule, Severity, Subject

_PLACES = ("headers", "cookies", "params")


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    # What cannot be read of the rest of a policy is EGR506's finding.
    scratch = Reader()
    spec = scratch.field(root(subject.whole), "spec")
    places = reader.items(scratch.field(spec, "apiKeyAuth", "extractFrom"))
    for provider in scratch.items(scratch.field(spec, "jwt", "providers")):
        place = scratch.field(provider, "extractFrom")
        if all(is_empty(reader.field(place, key)) for key in _PLACES) and place.value is not UNKNOWN:
            reader.report(place, "names no place, so tokens are also taken from access_token in the URL")
        places.append(place)
    for place in places:
        parameters = reader.field(place, "params")
        if not is_empty(parameters):
            reader.report(parameters, "takes credentials from the URL, which every log on the way keeps")
    return reader.findings


RULE = ObjectRule(
    id="EGR540",
    name="credential-in-url",
    severity=Severity.WARN,
    applies_to=frozenset({SECURITY_POLICY}),
    summary="Tokens and API keys come in headers or cookies, and policies say in which.",
    why="URLs stand in access logs, in traces, in browsers' histories and in the Referer header: here, at proxies on "
    "the way, and at the outside service. A token whose place is not named Envoy takes from the URL as well.",
    remediation="name the header: extractFrom: {headers: [{name: Authorization, valuePrefix: 'Bearer '}]} for tokens, "
    "one such as x-api-key for keys",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  apiKeyAuth: {credentialRefs: [{name: clients}], extractFrom: [{headers: [x-api-key]}], sanitize: true}
""",
    url="https://datatracker.ietf.org/doc/html/rfc6750#section-5.3",
    source="RFC 6750, section 5.3; envoyproxy/gateway: api/v1alpha1/jwt_types.go, api_key_auth_types.go, "
    "internal/xds/translator/jwt.go; Envoy: JwtProvider, from_params",
    check=_check,
)
