"""EGR215: a RequestAuthentication that takes tokens that others than the named issuer can make."""

import json
from collections.abc import Iterator

from policy.reading import Node, Reader, as_mapping, as_sequence, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_MAX_KEYS = 256 * 1024
_SECRET_PARTS = ("d", "k")  # RFC 7518, sections 6.2.2, 6.3.2 and 6.4: a private key's number, and a symmetric key


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for rule in reader.items(reader.field(root(subject.whole), "spec", "jwtRules")):
        issuer = reader.field(rule, "issuer")
        found = len(reader.findings)
        if reader.text(issuer) in (None, "") and len(reader.findings) == found:
            reader.report(issuer, "is missing, so every issuer whose key is in the set is taken")
        _judge_keys(reader, reader.field(rule, "jwks"))
    yield from reader.findings


def _judge_keys(reader: Reader, jwks: Node) -> None:
    text = reader.text(jwks)
    if text is None:
        return
    keys = _keys_of(text)
    if keys is None:
        reader.report(jwks, "is no JSON Web Key Set that can be read")
    elif any(part in key for key in keys for part in _SECRET_PARTS):
        reader.report(jwks, "holds a secret key: whoever can read this object can make tokens")


def _keys_of(text: str) -> list[frozenset[object]] | None:
    """The fields that each key of a key set has; None if it is none. A single key counts as a set of one."""
    try:
        document = as_mapping(json.loads(text)) if len(text) <= _MAX_KEYS else None
    except (ValueError, RecursionError):
        document = None
    if document is None:
        return None
    keys = as_sequence(document.get("keys")) if "keys" in document else (document,)
    mappings = [as_mapping(key) for key in keys or ()]
    found = [frozenset(mapping) for mapping in mappings if mapping is not None]
    return found if keys is not None and len(found) == len(mappings) else None


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
