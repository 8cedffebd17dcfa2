"""EGR104: a DynamicResolver connects wherever the client's Host header says."""

from collections.abc import Iterator

from policy.destinations import BACKEND
from policy.reading import Reader, is_empty, root, shown
from policy.rule import Context, Finding, ObjectRef, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    kind = reader.field(root(subject.whole), "spec", "type")
    text = reader.text(kind)
    yield from reader.findings
    if text == "DynamicResolver":
        if not _is_approved(subject.ref, context):
            yield Finding(path=kind.path, message="DynamicResolver is not approved for this Backend")
        endpoints = reader.field(root(subject.whole), "spec", "endpoints")
        if not is_empty(endpoints):
            yield Finding(path=endpoints.path, message="are not used by a DynamicResolver, and look as if they were")
    elif text not in (None, "Endpoints"):
        yield Finding(path=kind.path, message=f"{shown(text)} is no known type")


def _is_approved(ref: ObjectRef, context: Context) -> bool:
    granted = context.grants.dynamic_resolvers
    return f"{ref.namespace}/{ref.name}" in granted or f"{ref.namespace}/*" in granted


RULE = ObjectRule(
    id="EGR104",
    name="dynamic-resolver",
    severity=Severity.BLOCK,
    applies_to=frozenset({BACKEND}),
    summary="A Backend names its endpoints; type DynamicResolver needs an approval.",
    why="It is an open forward proxy: the client's Host header picks the destination, and Envoy Gateway "
    "guards it with a few narrow patterns only.",
    remediation="list the endpoints, or have the security team approve this Backend under dynamicResolvers",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: billing, namespace: apps}
spec:
  type: Endpoints
  endpoints:
    - fqdn: {hostname: billing.example.com, port: 8080}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/backend/",
    source="envoyproxy/gateway: api/v1alpha1/backend_types.go, site/content/en/latest/tasks/traffic/backend.md",
    check=_check,
)
