"""EGR541: passwords, tokens and keys that stand in an object."""

from collections.abc import Iterable, Iterator

from policy.facts.headers import CREDENTIAL_HEADERS
from policy.readers.envoy_gateway_config import PROXY_KINDS, proxy_specs_of
from policy.readers.routes import GRPC_ROUTE, HTTP_ROUTE, fields_named
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ROUTES = frozenset({HTTP_ROUTE, GRPC_ROUTE})
_ACTIONS = ("set", "add")
_MODIFIER = frozenset({"requestHeaderModifier"})
_COLLECTORS = frozenset({"openTelemetry"})


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    for header in _headers(subject):
        name, value = reader.field(header, "name"), reader.field(header, "value")
        if (reader.text(name) or "").lower() in CREDENTIAL_HEADERS and not is_empty(value) and value.value != "":
            reader.report(value, f"is a credential for {name.value}, and everybody who may read the object has it")
    return reader.findings


def _headers(subject: Subject) -> Iterator[Node]:
    # What cannot be read of a route's lists is EGR500's finding.
    scratch = Reader()
    if subject.group_kind in _ROUTES:
        spec = scratch.field(root(subject.whole), "spec")
        for modifier in fields_named(spec, _MODIFIER):
            for action in _ACTIONS:
                yield from scratch.items(scratch.field(modifier, action))
        return
    for proxy in proxy_specs_of(subject, scratch):
        for collector in fields_named(scratch.field(proxy, "telemetry"), _COLLECTORS):
            yield from scratch.items(scratch.field(collector, "headers"))


RULE = ObjectRule(
    id="EGR541",
    name="credential-written",
    severity=Severity.WARN,
    applies_to=PROXY_KINDS | _ROUTES,
    summary="A credential that a proxy adds to requests comes from a Secret.",
    why="Routes and EnvoyProxies are read by many more people than Secrets, stand in repositories, and come up in "
    "every diff. The credential is good outside of the cluster as well.",
    remediation="put it into a Secret, and refer to that in credentialInjection of an HTTPRouteFilter; give logs and "
    "traces to a collector in the cluster that has the credential",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: token, namespace: apps}
spec: {credentialInjection: {overwrite: true, credential: {valueRef: {name: token}}}}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/security/credential-injection/",
    source="Gateway API: HTTPHeaderFilter; envoyproxy/gateway: api/v1alpha1/httproutefilter_types.go, "
    "envoyproxy_tracing_types.go",
    check=_check,
)
