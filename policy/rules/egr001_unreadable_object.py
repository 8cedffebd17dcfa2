"""EGR001: an object whose kind, name or namespace cannot be read could be anything, so no rule would judge it."""

from collections.abc import Iterator

from policy.reading import Reader, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject
from policy.scopes import NAMESPACED_KINDS
from policy.subjects import CLOUD, LIST_SUFFIX


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    whole = root(subject.whole)
    if subject.unreadable != "":
        yield Finding(path="", message=f"cannot be read: {subject.unreadable}")
        return
    if subject.group.startswith(f"{CLOUD}:"):
        return
    if subject.group == "" or subject.ref.kind == "":
        yield Finding(path="", message="is no Kubernetes object: it needs an apiVersion and a kind")
        return
    if reader.mapping(whole).get("items") is not None:
        is_list = subject.ref.kind.endswith(LIST_SUFFIX)
        message = "is no list that can be read, or lists lie in lists too deep"
        yield Finding(
            path="items", message=message if is_list else "makes this a list to kubectl, whatever its kind says"
        )
    metadata = reader.field(whole, "metadata")
    for key in ("name", "namespace"):
        reader.text(reader.field(metadata, key))
    namespace = reader.field(metadata, "namespace")
    if subject.group_kind in NAMESPACED_KINDS and namespace.value in (None, "") and not reader.findings:
        reader.report(namespace, "is missing, so the namespace depends on who applies the object")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR001",
    name="unreadable-object",
    severity=Severity.BLOCK,
    summary="Every object says its kind and its name in a form that can be read, and what rules judge in a namespace "
    "names it.",
    why="Rules are chosen by kind, and exceptions by namespace and name. An object that hides one of them would pass "
    "unjudged; one that leaves out its namespace lands in another one offline than in the engine.",
    remediation="write YAML or JSON that can be read in one way only, with apiVersion, kind, metadata.name and "
    "metadata.namespace as text that is known in a preview",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  endpoints:
    - ip: {address: 47.96.10.20, port: 17000}
""",
    url="https://kubernetes.io/docs/concepts/overview/working-with-objects/#required-fields",
    source="Kubernetes: Objects, required fields",
    exceptable=False,
    check=_check,
)
