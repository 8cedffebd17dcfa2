"""EGR523: a redirect that sends clients to their own machine, or to its metadata service."""

from collections.abc import Iterable, Iterator

from policy.facts.names import NameClass, classify_name, parse_hostname
from policy.readers.routes import HTTP_ROUTE
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BACKEND_TRAFFIC_POLICY = "gateway.envoyproxy.io/BackendTrafficPolicy"
_SAID = {
    NameClass.LOCALHOST: "is a name of the client's own machine",
    NameClass.METADATA: "is a name of a cloud's metadata service",
    NameClass.WILDCARD_DNS: "is in a DNS zone that answers with loopback, or with the address that the name spells",
}


def _check(subject: Subject, context: Context) -> Iterable[Finding]:
    reader = Reader()
    for hostname in _hostnames(subject, reader):
        text = reader.text(hostname)
        if text is None:
            continue
        try:
            name = parse_hostname(text)
        except ValueError:
            reader.report(hostname, f"{shown(text)} is not a host name in its plain form")
            continue
        found = classify_name(name, context.grants.cluster_domain, context.namespaces)
        if found in _SAID:
            reader.report(hostname, f"{text} {_SAID[found]}")
    return reader.findings


def _hostnames(subject: Subject, reader: Reader) -> Iterator[Node]:
    # What cannot be read of a route's lists is EGR500's finding.
    scratch = Reader()
    spec = scratch.field(root(subject.whole), "spec")
    if subject.group_kind == _BACKEND_TRAFFIC_POLICY:
        for override in reader.items(scratch.field(spec, "responseOverride")):
            yield reader.field(override, "redirect", "hostname")
        return
    for rule in scratch.items(scratch.field(spec, "rules")):
        filters = scratch.items(scratch.field(rule, "filters"))
        for reference in scratch.items(scratch.field(rule, "backendRefs")):
            filters += scratch.items(scratch.field(reference, "filters"))
        for each in filters:
            yield reader.field(each, "requestRedirect", "hostname")


RULE = ObjectRule(
    id="EGR523",
    name="route-redirect",
    severity=Severity.BLOCK,
    applies_to=frozenset({HTTP_ROUTE, _BACKEND_TRAFFIC_POLICY}),
    summary="Redirects name hosts, and none of the client's own machine or of a metadata service.",
    why="Programs follow redirects. One to 169.254.169.254 or localhost makes the client ask its own node, and give "
    "the answer to whoever asked it.",
    remediation="redirect to the public host name of a service",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: old, namespace: apps}
spec:
  parentRefs: [{name: edge}]
  hostnames: [old.example.com]
  rules: [{filters: [{type: RequestRedirect, requestRedirect: {hostname: new.example.com, statusCode: 301}}]}]
""",
    url="https://gateway-api.sigs.k8s.io/guides/user-guides/http-redirect-rewrite/",
    source="Gateway API: HTTPRequestRedirectFilter; OWASP SSRF Prevention Cheat Sheet",
    check=_check,
)
