"""EGR516: a ReferenceGrant to every Backend, Secret or Service of its namespace."""

from collections.abc import Iterator

from policy.readers.reference_grants import REFERENCE_GRANT
from policy.reading import Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    # What cannot be read is EGR504's finding.
    reader = Reader()
    for entry in reader.items(reader.field(root(subject.whole), "spec", "to")):
        name, kind = reader.field(entry, "name"), reader.field(entry, "kind").value
        if (is_empty(name) or name.value == "") and isinstance(kind, str) and kind != "":
            yield Finding(path=name.path, message=f"is missing, so every {kind} of the namespace is granted")


RULE = ObjectRule(
    id="EGR516",
    name="reference-grant-unnamed",
    severity=Severity.WARN,
    applies_to=frozenset({REFERENCE_GRANT}),
    summary="A ReferenceGrant names the objects that may be referred to.",
    why="Without a name, what is added to the namespace later is granted as well: the next Backend, the next Secret.",
    remediation="give each entry of to the name of one object",
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
