"""EGR538: a Secret of another namespace whose owner, as far as anybody sees, has not agreed."""

from collections import defaultdict
from collections.abc import Iterator

from policy.readers.client_certificates import CLIENT_TRAFFIC_POLICY
from policy.readers.listeners import GATEWAY, LISTENER_SETS
from policy.readers.reference_grants import REFERENCE_GRANT, grants_in
from policy.readers.routes import ENVOY_GATEWAY, fields_named
from policy.reading import Node, Reader, as_sequence, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_HOLDERS = (
    frozenset(f"{ENVOY_GATEWAY}/{kind}" for kind in ("SecurityPolicy", "EnvoyExtensionPolicy", "HTTPRouteFilter"))
    | LISTENER_SETS
    | {GATEWAY, CLIENT_TRAFFIC_POLICY}
)
# Every field of type SecretObjectReference in Envoy Gateway's types, and those of the Gateway API.
_ONE = ("caCertificateRef", "clientCertificateRef", "clientIDRef", "clientSecret", "pullSecretRef", "users", "valueRef")
_MANY = ("caCertificateRefs", "certificateRefs", "credentialRefs", "refs")
_FIELDS = frozenset({*_ONE, *_MANY})
_SECRET = "Secret"  # noqa: S105 - a kind

_Triple = tuple[str, str, str]


def _check(subjects: tuple[Subject, ...], _context: Context) -> Iterator[Finding]:
    granted: defaultdict[tuple[str, _Triple], set[_Triple]] = defaultdict(set)
    for grant in grants_in(subject for subject in subjects if subject.group_kind == REFERENCE_GRANT):
        for origin in grant.origins:
            granted[grant.namespace, origin] |= grant.targets
    for subject in subjects:
        if subject.group_kind not in _HOLDERS:
            continue
        reader = Reader()
        for node, namespace, name in _secrets_elsewhere(reader, subject):
            targets = granted[namespace, (subject.group, subject.ref.kind, subject.ref.namespace)]
            if targets.isdisjoint({("", _SECRET, ""), ("", _SECRET, name)}):
                reader.report(node, f"no ReferenceGrant in the stack lets it take the Secret {namespace}/{name}")
        yield from (finding.of(subject) for finding in reader.findings)


def _secrets_elsewhere(reader: Reader, subject: Subject) -> Iterator[tuple[Node, str, str]]:
    # What cannot be read but the namespace is a finding of the rule about the field.
    scratch = Reader()
    for found in fields_named(scratch.field(root(subject.whole), "spec"), _FIELDS):
        for node in [found] if as_sequence(found.value) is None else scratch.items(found):
            namespace = reader.text(scratch.field(node, "namespace"))
            kind, name = (scratch.field(node, key).value for key in ("kind", "name"))
            if kind in (None, _SECRET) and namespace not in (None, "", subject.ref.namespace):
                yield node, f"{namespace}", f"{name}"


RULE = StackRule(
    id="EGR538",
    name="secret-elsewhere",
    severity=Severity.WARN,
    applies_to=_HOLDERS | {REFERENCE_GRANT},
    summary="A Secret of another namespace is taken only where a ReferenceGrant in the stack says so.",
    why="Who has a key, a password or a certificate's private key is for its owner to say. Without a grant nothing is "
    "served; with one that somebody adds later, outside this stack, the Secret is used without a review.",
    remediation="keep the Secret in the same namespace, or add a ReferenceGrant there that names it and who refers",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: apps}
spec:
  gatewayClassName: edge
  listeners:
    - name: https
      port: 443
      protocol: HTTPS
      hostname: n9e.example.com
      tls: {certificateRefs: [{name: n9e-tls, namespace: certificates}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: edge, namespace: certificates}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: apps}]
  to: [{group: "", kind: Secret, name: n9e-tls}]
""",
    url="https://gateway-api.sigs.k8s.io/reference/api-types/referencegrant/",
    source="Gateway API: ReferenceGrant; envoyproxy/gateway: internal/gatewayapi/validate.go",
    check=_check,
)
