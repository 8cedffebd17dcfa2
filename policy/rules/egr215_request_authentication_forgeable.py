"""EGR215: a RequestAuthentication that takes tokens that others than the named issuer can make."""

from collections.abc import Iterator

from policy.readers.key_sets import judge_keys
from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for rule in reader.items(reader.field(root(subject.whole), "spec", "jwtRules")):
        issuer = reader.field(rule, "issuer")
        found = len(reader.findings)
        if reader.text(issuer) in (None, "") and len(reader.findings) == found:
            reader.report(issuer, "is missing, so every issuer whose key is in the set is taken")
        judge_keys(reader, reader.field(rule, "jwks"))
    yield from reader.findings


RULE = ObjectRule(
    id="EGR215",
    name="request-authentication-forgeable",
    severity=Severity.BLOCK,
    applies_to=frozenset({"security.istio.io/RequestAuthentication"}),
    summary="Tokens are taken from one named issuer, and checked with public keys.",
    why="Large providers sign for all their customers with the same keys: without the issuer, anybody's account will "
    "do. A secret key in the object lets everybody who can read it sign.",
    remediation="set the issuer, and use jwksUri, or jwks with public keys only",
    example="""\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: sso, namespace: shop}
spec:
  selector: {matchLabels: {app: shop}}
  jwtRules:
    - issuer: https://sso.shop.com
      jwksUri: https://sso.shop.com/keys
      audiences: [shop]
""",
    url="https://istio.io/latest/docs/reference/config/security/request_authentication/#JWTRule",
    source="istio/api: security/v1beta1/request_authentication.proto; istio/istio: pkg/config/validation "
    "(warnPrivateJwksKeys); RFC 7517, RFC 7518",
    check=_check,
)
