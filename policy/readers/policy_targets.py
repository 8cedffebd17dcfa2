"""Which policies of Envoy Gateway are about a route or a Gateway (api/v1alpha1/policy_helpers.go)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from policy.readers.routes import GATEWAY_API
from policy.reading import Node, Reader, as_mapping, is_empty, root
from policy.rule import Finding, Subject

_Key = tuple[str, str, str]
"""Kind, namespace and name of a target."""


class Fit(Enum):
    """How sure it is that a policy is about an object. There is no entry for a policy that is not."""

    MAYBE = "maybe"
    """It depends on the labels of namespaces, on a grant, or on values that are not known here."""
    YES = "yes"


@dataclass(frozen=True, kw_only=True, eq=False)
class Attachment:
    """A policy that is about an object, or about one section of it."""

    policy: Subject
    section: str
    """The listener of a Gateway or the rule of a route; empty for all of it."""
    fit: Fit


@dataclass(frozen=True, kw_only=True, eq=False)
class _Selector:
    policy: Subject
    kind: str
    scope: str
    """The namespaces that it selects in: `Same`, `All` or `Selector`."""
    node: Node


class Attachments:
    """The policies of a stack, by what they are about."""

    def __init__(self, policies: Iterable[Subject]) -> None:
        self._named: defaultdict[_Key, list[Attachment]] = defaultdict(list)
        self._selectors: list[_Selector] = []
        for policy in policies:
            self._read(policy)

    def on(self, *, kind: str, namespace: str, name: str, subject: Subject | None) -> list[Attachment]:
        """The policies about the Gateway API's object of this kind and name.

        Args:
            kind: without its group.
            namespace: the object's.
            name: the object's.
            subject: the object, None if the stack does not show it.
        """
        found = list(self._named.get((kind, namespace, name), ()))
        for selector in self._selectors:
            fit = _fit(selector, kind, namespace, subject)
            if fit is not None:
                found.append(Attachment(policy=selector.policy, section="", fit=fit))
        return found

    def _read(self, policy: Subject) -> None:
        reader = Reader()
        for target in _named_targets(reader, policy):
            # A policy finds only what lies in its own namespace.
            kind, name = (reader.field(target, key).value for key in ("kind", "name"))
            if reader.field(target, "group").value == GATEWAY_API and isinstance(kind, str) and isinstance(name, str):
                section = reader.text(reader.field(target, "sectionName")) or ""
                attachment = Attachment(policy=policy, section=section, fit=Fit.YES)
                self._named[kind, policy.ref.namespace, name].append(attachment)
        spec = reader.field(root(policy.whole), "spec")
        for node in reader.items(reader.field(spec, "targetSelectors")):
            kind = reader.field(node, "kind").value
            scope = reader.field(node, "namespaces", "from").value
            if reader.field(node, "group").value in (None, GATEWAY_API) and isinstance(kind, str):
                text = scope if isinstance(scope, str) else "Same" if scope is None else "Selector"
                self._selectors.append(_Selector(policy=policy, kind=kind, scope=text, node=node))


def unreadable_targets(policy: Subject) -> list[Finding]:
    """What in the targets of `policy` cannot be read, so that nobody knows what it is about."""
    reader = Reader()
    for target in _named_targets(reader, policy):
        for key in ("group", "kind", "name", "sectionName"):
            reader.text(reader.field(target, key))
    for selector in reader.items(reader.field(root(policy.whole), "spec", "targetSelectors")):
        for key in ("group", "kind"):
            reader.text(reader.field(selector, key))
        reader.text(reader.field(selector, "namespaces", "from"))
        for value in _values(reader, reader.field(selector, "matchLabels")):
            reader.text(value)
        for expression in reader.items(reader.field(selector, "matchExpressions")):
            for key in ("key", "operator"):
                reader.text(reader.field(expression, key))
            for value in reader.items(reader.field(expression, "values")):
                reader.text(value)
    return reader.findings


def _named_targets(reader: Reader, policy: Subject) -> list[Node]:
    """`targetRef` is old, and where it is there, `targetRefs` is not read (GetTargetRefs)."""
    spec = reader.field(root(policy.whole), "spec")
    old = reader.field(spec, "targetRef")
    return [old] if old.value is not None else reader.items(reader.field(spec, "targetRefs"))


def _fit(selector: _Selector, kind: str, namespace: str, subject: Subject | None) -> Fit | None:
    elsewhere = selector.policy.ref.namespace != namespace
    if selector.kind != kind or (elsewhere and selector.scope == "Same"):
        return None
    reader = Reader()
    whole = root(None if subject is None else subject.whole)
    labels = as_mapping(reader.field(whole, "metadata", "labels").value)
    wanted = {node.path: node for node in _values(reader, reader.field(selector.node, "matchLabels"))}
    expressions = reader.items(reader.field(selector.node, "matchExpressions"))
    if subject is None:
        return Fit.MAYBE if wanted or expressions or elsewhere or selector.scope == "Selector" else Fit.YES
    own = {f"{key}": value for key, value in (labels or {}).items()}
    keys = reader.mapping(reader.field(selector.node, "matchLabels"))
    if any(own.get(f"{key}") != value and isinstance(own.get(f"{key}"), str | None) for key, value in keys.items()):
        return None
    tests = [_matches(reader, expression, own) for expression in expressions]
    if False in tests:
        return None
    unsure = None in tests or elsewhere or selector.scope == "Selector" or bool(reader.findings)
    unsure = unsure or not all(isinstance(own.get(f"{key}"), str) for key in keys)
    return Fit.MAYBE if unsure else Fit.YES


def _matches(reader: Reader, expression: Node, labels: dict[str, object]) -> bool | None:
    """Whether `labels` fulfil a requirement (metav1.LabelSelectorRequirement); None if nobody can say."""
    key = reader.text(reader.field(expression, "key"))
    operator = reader.text(reader.field(expression, "operator"))
    values = [reader.text(value) for value in reader.items(reader.field(expression, "values"))]
    value = labels.get(key or "")
    if key is None or None in values or not isinstance(value, str | None):
        return None
    tests = {
        "In": value is not None and value in values,
        "NotIn": value is None or value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return tests.get(operator or "")


def _values(reader: Reader, node: Node) -> list[Node]:
    if is_empty(node):
        return []
    return [Node(value=value, path=f"{node.path}.{key}") for key, value in reader.mapping(node).items()]
