"""From plain data to the subjects that rules judge: which kind it is, what it is called, what a list holds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from policy.reading import as_mapping, as_sequence
from policy.rule import ObjectRef, Subject

CORE_GROUP = "core"
LIST_SUFFIX = "List"
_HELM_GROUP = "helm.sh"
_MAX_NESTED_LISTS = 16


def subjects_of(whole: object, origin: str = "") -> tuple[Subject, ...]:
    """The objects in one manifest: itself, or the items of a `List` or `*List`, also of nested ones.

    Anything becomes a subject, also what is no Kubernetes object at all: a rule says so then.

    Args:
        whole: plain data, with `UNKNOWN` for unknown values.
        origin: the URN or the file that messages name.
    """
    return tuple(_unwrap(whole, origin, item="", depth=0))


def subject_as(whole: object, *, group: str, version: str, kind: str, origin: str = "", item: str = "") -> Subject:
    """`whole` as an object of a given kind, whatever it says itself."""
    # Pulumi's Helm resources are no Kubernetes objects: they say at the top what they are called.
    metadata = whole if group == _HELM_GROUP else _field(whole, "metadata")
    namespace, name = _text(_field(metadata, "namespace")), _text(_field(metadata, "name"))
    ref = ObjectRef(kind=kind, namespace=namespace, name=name)
    return Subject(group=group, version=version, ref=ref, whole=whole, origin=origin, item=item)


def in_namespace(subject: Subject, namespace: str) -> Subject:
    """`subject` in `namespace`, unless it says itself where it is, or nobody can read what it says."""
    fields, said = as_mapping(subject.whole), _field(subject.whole, "metadata")
    metadata: Mapping[object, object] | None = {} if said is None else as_mapping(said)
    if fields is None or metadata is None or metadata.get("namespace") not in (None, ""):
        return subject
    whole = {**fields, "metadata": {**metadata, "namespace": namespace}}
    return replace(subject, whole=whole, ref=replace(subject.ref, namespace=namespace))


def split_api_version(api_version: str) -> tuple[str, str]:
    """The group and the version in an `apiVersion`; the group of `v1` is `core`."""
    group, slash, version = api_version.rpartition("/")
    return (group, version) if slash != "" else (CORE_GROUP, version)


def _unwrap(whole: object, origin: str, item: str, depth: int) -> Iterator[Subject]:
    api_version, kind = _text(_field(whole, "apiVersion")), _text(_field(whole, "kind"))
    items = as_sequence(_field(whole, "items"))
    # kubectl takes anything with `items` for a list, whatever its kind: what lies in a ConfigMap's is applied as well.
    if items is not None and depth < _MAX_NESTED_LISTS:
        for index, value in enumerate(items):
            path = f"{item}.items[{index}]".removeprefix(".")
            yield from _unwrap(_with_type_of_list(value, api_version, kind), origin, path, depth + 1)
        if kind.endswith(LIST_SUFFIX):
            return
    group, version = split_api_version(api_version)
    if version == "":
        group = ""
    yield subject_as(whole, group=group, version=version, kind=kind, origin=origin, item=item)


def _with_type_of_list(item: object, api_version: str, list_kind: str) -> object:
    """The item of a typed list (`NetworkPolicyList`) may leave out its own type."""
    fields, kind = as_mapping(item), list_kind.removesuffix(LIST_SUFFIX)
    if fields is None or kind in ("", list_kind) or "kind" in fields:
        return item
    return {"apiVersion": api_version, "kind": kind} | dict(fields)


def _field(whole: object, key: str) -> object:
    mapping = as_mapping(whole)
    return None if mapping is None else mapping.get(key)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
