"""EGR504: a ReferenceGrant that does not say who may refer."""

import re
from collections.abc import Iterable

from policy.readers.reference_grants import REFERENCE_GRANT
from policy.reading import Node, Reader, is_empty, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_ANY = "*"
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")  # RFC 1123 label


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    for entry in reader.items(reader.field(spec, "from")):
        _judge_namespace(reader, reader.field(entry, "namespace"))
        _judge_kind(reader, entry)
    for entry in reader.items(reader.field(spec, "to")):
        _judge_kind(reader, entry)
        name = reader.field(entry, "name")
        if reader.text(name) == _ANY:
            reader.report(name, "* is no name; it reads as every object")
    return reader.findings


def _judge_namespace(reader: Reader, namespace: Node) -> None:
    text = reader.text(namespace)
    if is_empty(namespace) or text == "":
        reader.report(namespace, "names no namespace")
    elif text is not None and _NAMESPACE.fullmatch(text) is None:
        reader.report(namespace, f"{shown(text)} is not the name of one namespace")


def _judge_kind(reader: Reader, entry: Node) -> None:
    # The core group is empty, so only the kind has to be there.
    for key in ("group", "kind"):
        node = reader.field(entry, key)
        text = reader.text(node)
        if text == _ANY:
            reader.report(node, f"* is every {key}")
        elif key == "kind" and (node.value is None or text == ""):
            reader.report(node, "is missing")


RULE = ObjectRule(
    id="EGR504",
    name="reference-grant-wide",
    severity=Severity.BLOCK,
    applies_to=frozenset({REFERENCE_GRANT}),
    summary="A ReferenceGrant names the kinds that it is about, and each namespace that may refer.",
    why="An entry without a namespace, or with *, is meant for everybody: some implementations and every later reader "
    "take it so, and the Backends and Secrets of the namespace are open to the whole cluster.",
    remediation="name one namespace in each entry of from, and one kind in each entry of from and to",
    example="""\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: shop-to-ledger, namespace: billing}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: gateway.envoyproxy.io, kind: Backend, name: ledger}]
""",
    url="https://gateway-api.sigs.k8s.io/reference/api-types/referencegrant/",
    source="Gateway API: ReferenceGrant",
    check=_check,
)
