"""Which taints a pod tolerates, and the Pods that run already.

Source: kubernetes/api, core/v1/toleration.go, ToleratesTaint; meta/v1/types.go, OwnerReference.
"""

from collections.abc import Iterator
from typing import Final

from policy.readers.pods import PodTemplate
from policy.reading import Node, Reader, as_mapping, root
from policy.rule import UNKNOWN, ObjectRef, Subject, Taint

POD: Final = "core/Pod"
_EQUAL: Final = "Equal"
_REPLICA_SET: Final = "ReplicaSet"
_HASH: Final = "pod-template-hash"


def tolerated(reader: Reader, template: PodTemplate, taints: tuple[Taint, ...]) -> Iterator[tuple[Node, str]]:
    """The tolerations of one of `taints`, and what each tolerates, for messages."""
    for toleration in reader.items(reader.field(template.spec, "tolerations")):
        key, operator, value, effect = (
            reader.text(reader.field(toleration, name)) or "" for name in ("key", "operator", "value", "effect")
        )
        fields = as_mapping(toleration.value)
        if fields is None or UNKNOWN in fields.values():
            continue  # which has its finding
        for taint in taints:
            # Without an operator the values have to be equal.
            other_value = operator in ("", _EQUAL) and taint.value is not None and value != taint.value
            if key in ("", taint.key) and effect in ("", taint.effect) and not other_value:
                yield toleration, "every taint" if key == "" else f"the taint {taint.key} of the egress nodes"
                break


def is_running(subject: Subject) -> bool:
    """Whether it is a Pod as the cluster shows it: with the id that the API server gives, and with its node."""
    uid = Reader().field(root(subject.whole), "metadata", "uid").value
    return subject.group_kind == POD and subject.registration is None and isinstance(uid, str)


def owner_of(subject: Subject) -> ObjectRef | None:
    """What keeps a running Pod there, whose name stays where the Pod's does not; `None` if nothing does."""
    if not is_running(subject):
        return None
    reader, metadata = Reader(), Reader().field(root(subject.whole), "metadata")
    for owner in reader.items(reader.field(metadata, "ownerReferences")):
        kind, name = (reader.text(reader.field(owner, key)) or "" for key in ("kind", "name"))
        if reader.field(owner, "controller").value is True and kind != "" and name != "":
            suffix = f"-{reader.text(reader.field(metadata, 'labels', _HASH))}"
            if kind == _REPLICA_SET and name.endswith(suffix):
                kind, name = "Deployment", name.removesuffix(suffix)
            return ObjectRef(kind=kind, namespace=subject.ref.namespace, name=name)
    return None
