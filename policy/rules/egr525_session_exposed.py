"""EGR525: a login whose code, or whose tokens, somebody else gets."""

import re
from collections.abc import Iterable

from policy.facts.names import NameClass, classify_name, is_hosting_zone, is_public_suffix, parse_hostname
from policy.facts.urls import parse_url
from policy.readers.authentication import SECURITY_POLICY
from policy.reading import Node, Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

# The two headers that Envoy sets itself, and that the route was chosen by: internal/gatewayapi/securitypolicy.go.
_OWN_SCHEME = re.compile(r"^%REQ\(x-forwarded-proto\)%(?=://)", re.IGNORECASE)
_OWN_HOST = re.compile(r"(?<=://)%REQ\(:authority\)%(?=/)", re.IGNORECASE)
_STAND_IN = "n9e.example.com"
_NOWHERE = frozenset({NameClass.LOCALHOST, NameClass.METADATA, NameClass.WILDCARD_DNS})


def _check(subject: Subject, context: Context) -> Iterable[Finding]:
    reader = Reader()
    oidc = reader.field(root(subject.whole), "spec", "oidc")
    _judge_return(reader, reader.field(oidc, "redirectURL"), context)
    _judge_domain(reader, reader.field(oidc, "cookieDomain"))
    switch = reader.field(oidc, "disableTokenEncryption")
    if reader.flag(switch) is True:
        reader.report(switch, "true puts the tokens into cookies as they are")
    return reader.findings


def _judge_return(reader: Reader, node: Node, context: Context) -> None:
    text = reader.text(node)
    if text is None:
        return
    plain = _OWN_HOST.sub(_STAND_IN, _OWN_SCHEME.sub("https", text))
    try:
        url = parse_url(plain)
        name = parse_hostname(url.host)
    except ValueError:
        reader.report(node, f"{shown(text)} does not name one host, or takes it from what the client writes")
        return
    if url.scheme == "http":
        reader.report(node, "is http, so anybody on the way reads the code that logs the user in")
    found = classify_name(name, context.grants.cluster_domain, context.namespaces)
    if found in _NOWHERE:
        reader.report(node, f"{url.host} is {found}, and gets the code that logs the user in")


def _judge_domain(reader: Reader, node: Node) -> None:
    text = reader.text(node)
    if text is not None and (is_public_suffix(text.lower()) or is_hosting_zone(text.lower())):
        reader.report(node, f"{text} is the domain of many owners, who all would get the tokens")


RULE = ObjectRule(
    id="EGR525",
    name="session-exposed",
    severity=Severity.BLOCK,
    applies_to=frozenset({SECURITY_POLICY}),
    summary="A login comes back over https to a host that is named, and its tokens stay encrypted and in one owner's "
    "domain.",
    why="Whoever gets the code, or the cookie with the tokens, is the user: at this service, and where the tokens are "
    "good for more, there as well.",
    remediation="leave redirectURL out or write https and the host of the route, cookieDomain out or the service's own "
    "domain, and disableTokenEncryption out",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  oidc:
    provider: {issuer: https://login.example.com}
    clientID: n9e
    clientSecret: {name: n9e-login}
    redirectURL: https://n9e.example.com/oauth2/callback
""",
    url="https://datatracker.ietf.org/doc/html/rfc9700#section-4.1",
    source="envoyproxy/gateway: api/v1alpha1/oidc_types.go, internal/gatewayapi/securitypolicy.go; RFC 9700, "
    "section 4.1; the Public Suffix List",
    check=_check,
)
