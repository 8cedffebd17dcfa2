"""EGR524: pages of anybody that call a service with the session of whoever looks at them."""

from collections.abc import Iterable

from policy.facts.names import is_hosting_zone, is_public_suffix
from policy.readers.authentication import SECURITY_POLICY
from policy.readers.routes import GRPC_ROUTE, HTTP_ROUTE, fields_named
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CORS = frozenset({"cors"})
_ANY = "*"
_WILDCARD = "*."
_SCHEME = "://"


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    if subject.group_kind == SECURITY_POLICY:
        _judge_cors(reader, reader.field(spec, "cors"))
        for origin in reader.items(reader.field(spec, "csrf", "additionalOrigins")):
            _judge_origin(reader, origin, "may send requests that change things")
        return reader.findings
    for cors in fields_named(spec, _CORS):
        _judge_cors(reader, cors)
    return reader.findings


def _judge_cors(reader: Reader, cors: Node) -> None:
    if reader.flag(reader.field(cors, "allowCredentials")) is True:
        for origin in reader.items(reader.field(cors, "allowOrigins")):
            _judge_origin(reader, origin, "may call with the caller's own cookies, and read the answer")


def _judge_origin(reader: Reader, origin: Node, may: str) -> None:
    text = reader.text(origin)
    if text is None:
        return
    host = text.partition(_SCHEME)[2] if _SCHEME in text else text
    name = host.partition(":")[0].lower()
    parent = name.removeprefix(_WILDCARD)
    is_anybodys = parent != name and (is_public_suffix(parent) or is_hosting_zone(parent))
    if name == _ANY or is_anybodys:
        reader.report(origin, f"{shown(text)} is pages of anybody, which {may}")


RULE = ObjectRule(
    id="EGR524",
    name="any-origin",
    severity=Severity.BLOCK,
    applies_to=frozenset({SECURITY_POLICY, HTTP_ROUTE, GRPC_ROUTE}),
    summary="Only pages of named sites call with their visitors' credentials, or are excused from a check of origins.",
    why="With any origin and credentials, every page that a user opens acts as that user here: it reads what the "
    "service answers. Envoy gives the page's own origin back, so browsers let it, where they would refuse a `*`.",
    remediation="list the origins, such as https://app.example.com, or leave allowCredentials out",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  cors: {allowOrigins: [https://app.example.com], allowCredentials: true}
""",
    url="https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CORS#requests_with_credentials",
    source="envoyproxy/gateway: api/v1alpha1/cors_types.go, csrf_types.go, internal/xds/translator/cors.go; "
    "Gateway API: HTTPCORSFilter; WHATWG Fetch, CORS protocol and credentials",
    check=_check,
)
