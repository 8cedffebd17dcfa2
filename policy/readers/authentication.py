"""Whom a SecurityPolicy of Envoy Gateway lets in (api/v1alpha1: securitypolicy, jwt, authorization, ext_auth types).

CORS and CSRF protect browsers from other sites; they keep no client out, so they do not count.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from policy.facts.addresses import is_wide, parse_network
from policy.readers.key_sets import judge_keys
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import Finding, Subject

SECURITY_POLICY = "gateway.envoyproxy.io/SecurityPolicy"

_HTTP_ONLY = ("apiKeyAuth", "basicAuth", "cors", "csrf", "extAuth", "jwt", "oidc")
_ALLOW, _DENY = "Allow", "Deny"
_REMEMBERED = 4096  # policies: several rules read each of them
_ANYBODY = (
    ("headers", "knows clients by headers alone, which any client can send"),
    ("clientIPGeoLocations", "knows clients by the country or provider that their address seems to be of"),
)


@dataclass(frozen=True, kw_only=True)
class AllowedBlock:
    """Addresses of clients that an Allow rule lets in by nothing else."""

    node: Node
    network: IPv4Network | IPv6Network


@dataclass(frozen=True, kw_only=True, eq=False)
class SecurityPolicy:
    """A SecurityPolicy, by what it does."""

    subject: Subject
    guards_http: bool
    """Whether it lets in only HTTP requests of clients that are known."""
    guards_connections: bool
    """Whether it does so for connections, by their source address alone."""
    is_for_http_only: bool
    """Whether it holds what makes Envoy Gateway refuse it, and so guard nothing, on a TCPRoute."""
    merges: bool
    """Whether it adds to the policy of the Gateway, instead of taking its place."""
    allowed: tuple[AllowedBlock, ...]
    weaknesses: tuple[Finding, ...]
    """What in it lets clients in that nobody knows, or cannot be read."""
    unreadable_blocks: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class _Authorization:
    is_there: bool
    default: Node
    denies_by_default: bool
    has_rules: bool
    by_claims: int
    """How many Allow rules want claims of a token."""
    blocks: tuple[AllowedBlock, ...]
    anybody: tuple[tuple[Node, str], ...]
    """Allow rules that keep nobody out, with why."""
    unclear: bool
    """Whether some rule cannot be judged."""

    @property
    def narrows(self) -> bool:
        narrow = not is_wide(block.network for block in self.blocks)
        return self.is_there and self.denies_by_default and narrow and not self.anybody and not self.unclear


@lru_cache(maxsize=_REMEMBERED)
def read_security_policy(subject: Subject) -> SecurityPolicy:
    """Read `subject`, of kind `SECURITY_POLICY`. What cannot be read is among the findings, which block."""
    reader, block_reader = Reader(), Reader()
    spec = reader.field(root(subject.whole), "spec")
    authorization = _authorization(reader, block_reader, reader.field(spec, "authorization"))
    checks_tokens = _judge_jwt_providers(reader, spec)
    lax = _lax_jwt(reader, spec)
    asks_otherwise = [_oidc(reader, spec, checks_tokens and not lax), _keys(reader, spec), _ext_auth(reader, spec)]
    identifies = (checks_tokens and not lax) or any(asks_otherwise)
    narrows = authorization.narrows and (authorization.by_claims == 0 or checks_tokens)
    if not any(asks_otherwise) and not narrows:
        for node, message in lax:
            reader.report(node, message)
    if not identifies:
        for node, message in authorization.anybody:
            reader.report(node, message)
        if authorization.default.value == _ALLOW:
            reader.report(authorization.default, "Allow lets in whoever no rule denies")
    only_by_address = authorization.by_claims == 0 and authorization.has_rules
    return SecurityPolicy(
        subject=subject,
        guards_http=identifies or narrows,
        guards_connections=authorization.narrows and only_by_address,
        is_for_http_only=any(reader.field(spec, key).value is not None for key in _HTTP_ONLY),
        merges=reader.text(reader.field(spec, "mergeType")) is not None,
        allowed=authorization.blocks,
        weaknesses=tuple(reader.findings),
        unreadable_blocks=tuple(block_reader.findings),
    )


def _judge_jwt_providers(reader: Reader, spec: Node) -> bool:
    jwt = reader.field(spec, "jwt")
    providers = reader.field(jwt, "providers")
    if jwt.value is not None and is_empty(providers):
        reader.report(providers, "names no provider")
    found = reader.items(providers)
    for provider in found:
        judge_keys(reader, reader.field(provider, "localJWKS", "inline"))
    return bool(found)


def _lax_jwt(reader: Reader, spec: Node) -> list[tuple[Node, str]]:
    """What lets requests through without a valid token."""
    jwt = reader.field(spec, "jwt")
    said = (("optional", "true lets in requests without a token"), ("failOpen", "true lets in wrong tokens, and none"))
    nodes = [(reader.field(jwt, key), message) for key, message in said]
    return [(node, message) for node, message in nodes if reader.flag(node) is True]


def _oidc(reader: Reader, spec: Node, checks_every_token: bool) -> bool:
    oidc = reader.field(spec, "oidc")
    passes = reader.field(oidc, "passThroughAuthHeader")
    passed_by = reader.flag(passes) is True and not checks_every_token
    if passed_by:
        reader.report(passes, "true lets in whoever sends a token, and nothing here insists that it is valid")
    return not is_empty(reader.field(oidc, "provider")) and not passed_by


def _keys(reader: Reader, spec: Node) -> bool:
    """API keys and passwords: both need a Secret to compare with."""
    keys = reader.items(reader.field(spec, "apiKeyAuth", "credentialRefs"))
    return bool(keys) or not is_empty(reader.field(spec, "basicAuth", "users"))


def _ext_auth(reader: Reader, spec: Node) -> bool:
    service = reader.field(spec, "extAuth")
    fails_open = reader.field(service, "failOpen")
    if reader.flag(fails_open) is True:
        reader.report(fails_open, "true lets everybody in while the authorization service does not answer")
        return False
    return any(not is_empty(reader.field(service, key)) for key in ("grpc", "http"))


def _authorization(reader: Reader, block_reader: Reader, node: Node) -> _Authorization:
    default = reader.field(node, "defaultAction")
    text = reader.text(default)
    if text not in (None, _ALLOW, _DENY):
        reader.report(default, f"{shown(text)} is no known action")
    rules = reader.items(reader.field(node, "rules"))
    allowing = [rule for rule in rules if _action(reader, rule) != _DENY]
    by_claims, unclear = 0, False
    blocks: list[AllowedBlock] = []
    anybody: list[tuple[Node, str]] = []
    for rule in allowing:
        principal = reader.field(rule, "principal")
        found = list(_blocks(block_reader, reader.field(principal, "clientCIDRs")))
        if not is_empty(reader.field(principal, "jwt")):
            by_claims += 1
        elif not is_empty(reader.field(principal, "clientCIDRs")):
            blocks += found
        elif not is_empty(reader.field(rule, "cel")):
            unclear = True  # an expression, which only Envoy evaluates
        else:
            reasons = [why for key, why in _ANYBODY if not is_empty(reader.field(principal, key))]
            anybody.append((rule, (reasons or ["names nobody, so it lets everybody in"])[0]))
    return _Authorization(
        is_there=node.value is not None,
        default=default,
        denies_by_default=default.value in (None, _DENY),
        has_rules=bool(rules),
        by_claims=by_claims,
        blocks=tuple(blocks),
        anybody=tuple(anybody),
        unclear=unclear,
    )


def _action(reader: Reader, rule: Node) -> str | None:
    node = reader.field(rule, "action")
    text = reader.text(node)
    if node.value is None:
        reader.report(node, "is missing")
    elif text not in (None, _ALLOW, _DENY):
        reader.report(node, f"{shown(text)} is no known action")
    return text


def _blocks(reader: Reader, node: Node) -> list[AllowedBlock]:
    found: list[AllowedBlock] = []
    for item in reader.items(node):
        text = reader.text(item)
        if text is None:
            if item.value is None:
                reader.report(item, "is missing")
            continue
        try:
            found.append(AllowedBlock(node=item, network=parse_network(text)))
        except ValueError:
            reader.report(item, f"{shown(text)} is not a CIDR in its plain form")
    return found
