"""From plain data to the subjects that rules judge: which kind it is, what it is called, what a list holds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from policy.readers.cloud.answers.shapes import subjects_of_answer
from policy.reading import as_mapping, as_sequence
from policy.rule import ObjectRef, Registration, Subject

CORE_GROUP = "core"
LIST_SUFFIX = "List"
CLOUD = "alicloud"
"""The package of Alibaba Cloud's resources, and how the groups of their subjects begin."""
_KUBERNETES = "kubernetes"
_PATCH = "Patch"  # pulumi-kubernetes' resources that patch an object in place: NamespacePatch patches a Namespace
_TOKEN_PARTS = 3
_HELM_GROUP = "helm.sh"
_MAX_NESTED_LISTS = 16


def subjects_of(whole: object, origin: str = "") -> tuple[Subject, ...]:
    """The objects in one manifest: itself, or the items of a `List` or `*List`, also of nested ones.

    Anything becomes a subject, also what is no Kubernetes object at all: a rule says so then. A resource as
    `pulumi stack export` writes it (`type`, `urn`, `inputs`, `propertyDependencies`, `protect`) is what it registers;
    an answer of an API of Alibaba Cloud is itself and what it lists.

    Args:
        whole: plain data, with `UNKNOWN` for unknown values.
        origin: the URN or the file that messages name.
    """
    return tuple(_unwrap(whole, origin, item="", depth=0))


def subjects_of_resource(
    resource_type: str, whole: object, registration: Registration, origin: str = ""
) -> tuple[Subject, ...]:
    """The objects that a resource registers; none if it is neither a Kubernetes object nor Alibaba Cloud's.

    The properties say what a Kubernetes object is, and so does the resource's type. Where they disagree, or where the
    properties are silent or unknown, it is judged as what the type says too.

    Args:
        resource_type: the type token, `kubernetes:<group>/<version>:<Kind>` or `alicloud:<module>/<name>:<Kind>`.
        whole: the properties as plain data.
        registration: what the program says beside them.
        origin: the URN or the file that messages name.
    """
    parts = resource_type.split(":")
    if len(parts) != _TOKEN_PARTS or parts[0] not in (CLOUD, _KUBERNETES):
        return ()
    if parts[0] == CLOUD:
        return (_of_cloud(parts[1].partition("/")[0], parts[2], whole, registration, origin),)
    return tuple(
        replace(subject, registration=registration) for subject in _of_kubernetes(parts[1], parts[2], whole, origin)
    )


def _of_cloud(module: str, kind: str, whole: object, registration: Registration, origin: str) -> Subject:
    ref = ObjectRef(kind=kind, name=registration.urn.rpartition("::")[2])
    return Subject(
        group=f"{CLOUD}:{module}", version="", ref=ref, whole=whole, origin=origin, registration=registration
    )


def _of_kubernetes(group_version: str, kind: str, whole: object, origin: str) -> tuple[Subject, ...]:
    said = subjects_of(whole, origin)
    (group, version), kind = split_api_version(group_version), kind.removesuffix(_PATCH)
    if kind.endswith(LIST_SUFFIX) or any(
        subject.whole is whole and subject.group_kind == f"{group}/{kind}" for subject in said
    ):
        return said
    readable = (subject for subject in said if subject.group != "" and subject.ref.kind != "")
    return (*readable, subject_as(whole, group=group, version=version, kind=kind, origin=origin))


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
    found = _registered(whole, origin, item) or subjects_of_answer(whole, origin, item)
    if found:
        yield from found
        return
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


def _registered(whole: object, origin: str, item: str) -> list[Subject]:
    """What `whole` registers, if it is a resource of a program."""
    resource_type, urn = _field(whole, "type"), _field(whole, "urn")
    if not isinstance(resource_type, str) or not isinstance(urn, str) or _field(whole, "kind") is not None:
        return []
    protected = _field(whole, "protect")
    registration = Registration(
        urn=urn,
        leads_to={
            f"{key}": tuple(f"{each}" for each in as_sequence(urns) or ())
            for key, urns in (as_mapping(_field(whole, "propertyDependencies")) or {}).items()
        },
        protected=protected if isinstance(protected, bool) else False,
    )
    found = subjects_of_resource(resource_type, _field(whole, "inputs"), registration, origin)
    return [replace(subject, item=f"{item}.inputs.{subject.item}".strip(".")) for subject in found]


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
