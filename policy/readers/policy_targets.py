"""Which policies of Envoy Gateway are about a route or a Gateway (api/v1alpha1/policy_helpers.go)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from policy.readers.routes import GATEWAY_API
from policy.reading import Node, Reader, as_mapping, is_empty, root
from policy.rule import Finding, Subject

_Key = tuple[str, str, str]
"""Kind, namespace and name of a target."""
_Label = tuple[str, str]
"""Key and value."""


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


@dataclass(frozen=True, kw_only=True)
class _Expression:
    """A requirement (metav1.LabelSelectorRequirement)."""

    key: str | None
    operator: str
    values: frozenset[str] | None
    """None if one of them is not known."""

    def is_met(self, labels: dict[str, object]) -> bool | None:
        """Whether `labels` fulfil it; None if nobody can say."""
        value = None if self.key is None else labels.get(self.key)
        if self.key is None or self.values is None or not (value is None or isinstance(value, str)):
            return None
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case _:
                return None


@dataclass(frozen=True, kw_only=True)
class _Selector:
    """A selector, read once: it is compared with many objects."""

    namespace: str
    """Its policy's."""
    kind: str
    scope: str
    """The namespaces that it selects in: `Same`, `All` or `Selector`."""
    labels: tuple[tuple[str, str | None], ...]
    """Keys and values; None for a value that cannot be read."""
    expressions: tuple[_Expression, ...]
    is_readable: bool


_ByFit = dict[Fit, list[Attachment]]
"""What a selector comes to for an object, by how sure it is."""
_Selected = tuple[_Selector, _ByFit]


class Attachments:
    """The policies of a stack, by what they are about."""

    def __init__(self, policies: Iterable[Subject]) -> None:
        self._named: defaultdict[_Key, list[Attachment]] = defaultdict(list)
        # Policies with the same selector are about the same objects.
        self._selected: defaultdict[_Selector, _ByFit] = defaultdict(_by_fit)
        for policy in policies:
            self._read(policy)
        self._by_kind: defaultdict[str, list[_Selected]] = defaultdict(list)
        self._by_label: defaultdict[tuple[str, _Label | None], list[_Selected]] = defaultdict(list)
        for selector, attachments in self._selected.items():
            selected = (selector, attachments)
            self._by_kind[selector.kind].append(selected)
            # One of the labels is enough to find it by.
            labels = [(key, value) for key, value in selector.labels if value is not None]
            self._by_label[selector.kind, labels[0] if labels else None].append(selected)

    def on(self, *, kind: str, namespace: str, name: str, subject: Subject | None) -> list[Attachment]:
        """The policies about the Gateway API's object of this kind and name.

        Args:
            kind: without its group.
            namespace: the object's.
            name: the object's.
            subject: the object, None if the stack does not show it.
        """
        found = list(self._named.get((kind, namespace, name), ()))
        own = None if subject is None else _labels_of(subject)
        for selector, attachments in self._candidates(kind, own):
            fit = _fit(selector, namespace, own)
            if fit is not None:
                found += attachments[fit]
        return found

    def _candidates(self, kind: str, own: dict[str, object] | None) -> Iterable[_Selected]:
        """The selectors that may select an object with the labels `own`; None for labels that are not known."""
        if own is None or not all(isinstance(value, str) for value in own.values()):
            return self._by_kind.get(kind, ())
        labels = [None, *((key, f"{value}") for key, value in own.items())]
        return chain.from_iterable(self._by_label.get((kind, label), ()) for label in labels)

    def _read(self, policy: Subject) -> None:
        reader = Reader()
        for target in named_targets(reader, policy):
            # A policy finds only what lies in its own namespace.
            kind, name = (reader.field(target, key).value for key in ("kind", "name"))
            if reader.field(target, "group").value == GATEWAY_API and isinstance(kind, str) and isinstance(name, str):
                section = reader.text(reader.field(target, "sectionName")) or ""
                attachment = Attachment(policy=policy, section=section, fit=Fit.YES)
                self._named[kind, policy.ref.namespace, name].append(attachment)
        spec = reader.field(root(policy.whole), "spec")
        for node in reader.items(reader.field(spec, "targetSelectors")):
            kind = reader.field(node, "kind").value
            if reader.field(node, "group").value in (None, GATEWAY_API) and isinstance(kind, str):
                for fit, found in self._selected[_selector(policy, kind, node)].items():
                    found.append(Attachment(policy=policy, section="", fit=fit))


def _by_fit() -> _ByFit:
    return {fit: [] for fit in Fit}


def unreadable_targets(policy: Subject) -> list[Finding]:
    """What in the targets of `policy` cannot be read, so that nobody knows what it is about."""
    reader = Reader()
    for target in named_targets(reader, policy):
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


def named_targets(reader: Reader, policy: Subject) -> list[Node]:
    """What a policy is about by name. `targetRef` is old; where it is there, nothing reads `targetRefs`."""
    spec = reader.field(root(policy.whole), "spec")
    old = reader.field(spec, "targetRef")
    return [old] if old.value is not None else reader.items(reader.field(spec, "targetRefs"))


def _selector(policy: Subject, kind: str, node: Node) -> _Selector:
    reader = Reader()
    scope = reader.field(node, "namespaces", "from").value
    labels = reader.mapping(reader.field(node, "matchLabels"))
    expressions = [_expression(reader, each) for each in reader.items(reader.field(node, "matchExpressions"))]
    return _Selector(
        namespace=policy.ref.namespace,
        kind=kind,
        scope=scope if isinstance(scope, str) else "Same" if scope is None else "Selector",
        labels=tuple((f"{key}", value if isinstance(value, str) else None) for key, value in labels.items()),
        expressions=tuple(expressions),
        is_readable=not reader.findings,
    )


def _expression(reader: Reader, node: Node) -> _Expression:
    values = [reader.text(value) for value in reader.items(reader.field(node, "values"))]
    return _Expression(
        key=reader.text(reader.field(node, "key")),
        operator=reader.text(reader.field(node, "operator")) or "",
        values=None if None in values else frozenset(value for value in values if value is not None),
    )


def _labels_of(subject: Subject) -> dict[str, object]:
    labels = as_mapping(Reader().field(root(subject.whole), "metadata", "labels").value)
    return {f"{key}": value for key, value in (labels or {}).items()}


def _fit(selector: _Selector, namespace: str, own: dict[str, object] | None) -> Fit | None:
    elsewhere = selector.namespace != namespace
    if elsewhere and selector.scope == "Same":
        return None
    unsure = elsewhere or selector.scope == "Selector"
    if own is None:
        return Fit.MAYBE if unsure or selector.labels or selector.expressions else Fit.YES
    for key, value in selector.labels:
        label = own.get(key)
        if label != value and isinstance(label, str | None):
            return None
        unsure = unsure or not isinstance(label, str)
    for expression in selector.expressions:
        is_met = expression.is_met(own)
        if is_met is False:
            return None
        unsure = unsure or is_met is None
    return Fit.MAYBE if unsure or not selector.is_readable else Fit.YES


def _values(reader: Reader, node: Node) -> list[Node]:
    if is_empty(node):
        return []
    return [Node(value=value, path=f"{node.path}.{key}") for key, value in reader.mapping(node).items()]
