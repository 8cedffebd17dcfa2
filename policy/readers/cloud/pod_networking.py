"""Terway's PodNetworkings: which pods get addresses of their own vSwitches.

Source: terway, pkg/apis/network.alibabacloud.com/v1beta1/types.go, pkg/controller/webhook/mutating.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from policy.reading import Node, Reader, as_mapping, root
from policy.rule import Context, Subject

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The label that every namespace has, with its name."""
PROFILES: Final = frozenset({"acs-profile", "eci-profile"})
"""ConfigMaps in kube-system that say of pods on virtual nodes which vSwitches and annotations they get (ACS, ECI)."""
ELASTIC: Final = "Elastic"
FIXED: Final = "Fixed"


@dataclass(frozen=True, kw_only=True, eq=False)
class PodNetworking:
    """One PodNetworking."""

    subject: Subject
    allocation: str
    """`Elastic`, or `Fixed`, which Terway passes over for pods without a name of their own."""
    pods: Node
    """Its selectors; there is none where the value is None."""
    namespaces: Node

    def may_select(self, pod_labels: Mapping[object, object], namespace_labels: Mapping[object, object]) -> bool:
        """Whether it takes such a pod; also where nobody can say."""
        if self.pods.value is None and self.namespaces.value is None:
            return False
        return _fits(self.pods, pod_labels) and _fits(self.namespaces, namespace_labels)


def pod_networking_of(subject: Subject) -> PodNetworking:
    """The PodNetworking that `subject` is."""
    reader = Reader()
    spec = reader.field(root(subject.whole), "spec")
    allocation = reader.field(spec, "allocationType", "type")
    return PodNetworking(
        subject=subject,
        allocation=reader.text(allocation) or ELASTIC,
        pods=reader.field(spec, "selector", "podSelector"),
        namespaces=reader.field(spec, "selector", "namespaceSelector"),
    )


def may_select_gateways(networking: Subject, context: Context) -> bool:
    """Whether a PodNetworking may be for gateways; every one may where nobody says in which namespaces they are."""
    named = named_namespaces(pod_networking_of(networking).namespaces)
    return not context.gateway_namespaces or named is None or not named.isdisjoint(context.gateway_namespaces)


def named_namespaces(selector: Node) -> frozenset[str] | None:
    """The namespaces that a selector lists by their names; `None` where it selects by something else.

    Of several lists only those count that can be read to the end: every other only leaves more out.
    """
    reader = Reader()
    listed: list[frozenset[str]] = []
    name = reader.mapping(reader.field(selector, "matchLabels")).get(NAMESPACE_NAME)
    if isinstance(name, str):
        listed.append(frozenset({name}))
    for expression in reader.items(reader.field(selector, "matchExpressions")):
        key, operator = (reader.field(expression, name).value for name in ("key", "operator"))
        values = [each.value for each in reader.items(reader.field(expression, "values"))]
        names = frozenset(value for value in values if isinstance(value, str))
        if (key, operator) == (NAMESPACE_NAME, "In") and values and all(isinstance(value, str) for value in values):
            listed.append(names)
    return listed[0].intersection(*listed) if listed else None


def _fits(selector: Node, labels: Mapping[object, object]) -> bool:
    if selector.value is None:
        return True
    reader = Reader()
    wanted = reader.mapping(reader.field(selector, "matchLabels"))
    if any(isinstance(value, str) and labels.get(key) != value for key, value in wanted.items()):
        return False
    expressions = reader.items(reader.field(selector, "matchExpressions"))
    return not any(_is_refused(reader, expression, labels) for expression in expressions)


def _is_refused(reader: Reader, expression: Node, labels: Mapping[object, object]) -> bool:
    """Whether a requirement (metav1.LabelSelectorRequirement) is certainly not met."""
    key = reader.text(reader.field(expression, "key"))
    if key is None:
        return False
    own = labels.get(key)
    values = [each.value for each in reader.items(reader.field(expression, "values"))]
    match reader.field(expression, "operator").value:
        case "In":
            return own not in values and all(isinstance(value, str) for value in values)
        case "NotIn":
            return own in values
        case "Exists":
            return own is None
        case "DoesNotExist":
            return own is not None
        case _:
            return False


def labels_of(metadata: Node) -> Iterator[tuple[object, object]]:
    """The labels in an object's metadata."""
    yield from (as_mapping(Reader().field(metadata, "labels").value) or {}).items()
