"""Istio's mesh configuration, wherever it is written: Helm values of istiod, its ConfigMap, an operator's object."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from policy.readers.embedded_yaml import parsed
from policy.readers.helm import INSTALL_KINDS, Install, installs_of
from policy.reading import Node, Reader, as_mapping, as_sequence, join, root
from policy.rule import UNKNOWN, Subject

_CONFIG_MAP = "core/ConfigMap"
_ISTIO_OPERATOR = "install.istio.io/IstioOperator"
_SAIL = frozenset({"sailoperator.io/Istio", "sailoperator.io/IstioRevision", "operator.istio.io/Istio"})
MESH_CONFIG_KINDS = INSTALL_KINDS | _SAIL | {_CONFIG_MAP, _ISTIO_OPERATOR}
"""The kinds that `mesh_configs_of` knows."""

# The chart is published as `istiod`; in Istio's repository its folder is `istio-discovery`.
_CHART = re.compile(r"(istiod|istio-discovery)(-v?[0-9][^/]*)?(\.tgz)?")
_CONFIG_MAP_NAME = re.compile(r"istio(-.+)?")  # with the revision, if the control plane has one
_CONTROL_PLANES = ("", "istio-system")
_FIELDS = frozenset({"defaultConfig", "extensionProviders", "outboundTrafficPolicy", "rootNamespace", "trustDomain"})
"""What nearly every mesh configuration sets some of; a ConfigMap of another team's may be called `istio-...` too."""
_NOWHERE = Node(value=None, path="")
_MESH_CONFIG = "meshConfig"
_DEFAULTS = "_internal_defaults_do_not_set"
"""Values under which the charts keep their own defaults, and merge what else is there into the rest."""
_INJECTOR = re.compile(r"istio-sidecar-injector(-.+)?")
_OWN_KEYS = frozenset({_MESH_CONFIG, "istiodRemote", "sidecarInjectorWebhook"})
"""Values that only istiod's chart has, whatever the chart is called where it comes from."""
_CAPTURE_KEYS = frozenset({"autoInject", "excludeIPRanges", "excludeOutboundPorts", "includeIPRanges"})
"""The same under `global.proxy`."""
_READERS = frozenset({"istio-egress", "istio-ingress", "ztunnel"})
"""Istio's charts that read `meshConfig` for themselves, and need not say all that istiod's must."""
_GATEWAYS = _READERS | {"gateway", "istio-gateway"}
"""Istio's charts for which `global.proxy` is their own affair."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshConfig:
    """The configuration of one mesh."""

    places: tuple[Node, ...]
    """Where its MeshConfig may stand, also where it does not; the first is the one to write to."""
    values: Node = _NOWHERE
    """The values of the chart `istiod`; a value of None where there are none."""
    whole_values: Node = _NOWHERE
    """The values around those, whose `global` Helm passes on; a value of None where istiod is not part of a chart."""
    elsewhere: Node = _NOWHERE
    """Where the object says that more values come from, that nobody sees here; a value of None if nowhere."""
    is_istiods: bool = True
    """Whether what is left out means istiod's defaults; else it adds to others, or is for another of Istio's charts."""


def mesh_configs_of(subject: Subject, reader: Reader) -> Iterator[MeshConfig]:
    """The mesh configurations in `subject`, of one of `MESH_CONFIG_KINDS`; other charts and ConfigMaps have none."""
    for mesh in _found(subject, reader):
        yield mesh
        defaults = reader.field(mesh.values, _DEFAULTS)
        if defaults.value is not None:
            yield _added(reader, defaults)


def injector_config_of(subject: Subject, reader: Reader) -> Node | None:
    """What the ConfigMap of istiod's webhook says of who gets a sidecar; None if `subject` is no such ConfigMap."""
    if subject.group_kind != _CONFIG_MAP or not _INJECTOR.fullmatch(subject.ref.name):
        return None
    return parsed(reader, reader.field(root(subject.whole), "data", "config"))


def _found(subject: Subject, reader: Reader) -> Iterator[MeshConfig]:
    kind = subject.group_kind
    whole = root(subject.whole)
    if kind in INSTALL_KINDS:
        for install in installs_of(subject, reader):
            yield from _of_install(reader, install)
    elif kind == _CONFIG_MAP:
        yield from _of_config_map(subject, reader, whole)
    elif kind == _ISTIO_OPERATOR:
        spec = reader.field(whole, "spec")
        # The profile `empty` installs nothing but what is switched on, such as a gateway.
        enabled = reader.flag(reader.field(spec, "components", "pilot", "enabled"))
        if reader.text(reader.field(spec, "profile")) == "empty" and enabled is not True:
            return
        values = reader.field(spec, "values")
        places = (reader.field(spec, "meshConfig"), reader.field(values, "meshConfig"))
        yield MeshConfig(places=places, values=values)
        unvalidated = reader.field(spec, "unvalidatedValues")
        if unvalidated.value is not None:
            yield _added(reader, unvalidated)
    elif kind in _SAIL:
        yield _of_values(reader, reader.field(whole, "spec", "values"), _NOWHERE)


def mesh_field(reader: Reader, mesh: Node, key: str) -> Node:
    """A field of a MeshConfig. istiod also takes the name of the proto field (`outbound_traffic_policy`)."""
    other = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
    if reader.mapping(mesh).get(other) is not None:
        reader.report(Node(value=None, path=join(mesh.path, other)), f"is a second spelling of {key}")
    return reader.field(mesh, key)


def _of_install(reader: Reader, install: Install) -> Iterator[MeshConfig]:
    for mesh in _meshes(reader, install):
        yield mesh if install.is_whole else replace(mesh, is_istiods=False)


def _meshes(reader: Reader, install: Install) -> Iterator[MeshConfig]:
    """Of istiod's chart by its name, or of any chart whose values, or whose parts' values, are like those of istiod."""
    chart = install.chart.strip().lower()
    if _CHART.fullmatch(chart):
        yield _of_values(reader, install.values, install.elsewhere)
        return
    found = [_of_part(reader, install, *part) for part in _parts(install.values) if _is_istiods(*part)]
    # With parts, what stands in `global` is for them.
    if _has_own_keys(install.values) or (not found and chart not in _GATEWAYS and _narrows(install.values)):
        found.append(_of_named(reader, chart, install.values, install.elsewhere))
    told = next((node for node in install.elsewheres if _names_mesh_config(node.value)), None)
    if told is not None and not found and chart not in _READERS:
        found.append(_of_values(reader, install.values, told))
    yield from found


def _parts(values: Node) -> list[tuple[str, Node]]:
    fields = as_mapping(values.value) or {}
    return [(f"{key}".lower(), Node(value=value, path=join(values.path, f"{key}"))) for key, value in fields.items()]


def _of_part(reader: Reader, install: Install, name: str, part: Node) -> MeshConfig:
    mesh = _of_named(reader, name, part, install.elsewhere)
    return replace(mesh, whole_values=install.values) if mesh.is_istiods else mesh


def _of_named(reader: Reader, chart: str, values: Node, elsewhere: Node) -> MeshConfig:
    mesh = _of_values(reader, values, elsewhere)
    if chart not in _READERS:
        return mesh
    return replace(mesh, values=_NOWHERE, elsewhere=_NOWHERE, is_istiods=False)


def _is_istiods(name: str, part: Node) -> bool:
    """Whether a part of a chart is istiod's by its name and not switched off, or by its values."""
    fields = as_mapping(part.value)
    is_on = part.value is UNKNOWN or (fields is not None and fields.get("enabled") is not False)
    return (
        (_CHART.fullmatch(name) is not None and is_on)
        or _has_own_keys(part)
        or (name not in _GATEWAYS and _narrows(part))
    )


def _layers(values: Node) -> Iterator[Mapping[object, object]]:
    fields = as_mapping(values.value) or {}
    yield fields
    yield as_mapping(fields.get(_DEFAULTS)) or {}


def _has_own_keys(values: Node) -> bool:
    return any(fields.get(key) is not None for fields in _layers(values) for key in _OWN_KEYS)


def _narrows(values: Node) -> bool:
    proxies = ((as_mapping(fields.get("global")) or {}).get("proxy") for fields in _layers(values))
    return any(not _CAPTURE_KEYS.isdisjoint(as_mapping(proxy) or {}) for proxy in proxies)


def _names_mesh_config(value: object) -> bool:
    """Whether a text, also inside lists and objects, names a field of istiod's mesh configuration."""
    if isinstance(value, str):
        return _MESH_CONFIG in value
    fields = as_mapping(value) or {}
    return any(_names_mesh_config(item) for item in (*(as_sequence(value) or ()), *fields, *fields.values()))


def _of_values(reader: Reader, values: Node, elsewhere: Node) -> MeshConfig:
    return MeshConfig(places=(reader.field(values, _MESH_CONFIG),), values=values, elsewhere=elsewhere)


def _added(reader: Reader, values: Node) -> MeshConfig:
    return MeshConfig(places=(reader.field(values, _MESH_CONFIG),), values=values, is_istiods=False)


def _of_config_map(subject: Subject, reader: Reader, whole: Node) -> Iterator[MeshConfig]:
    if _INJECTOR.fullmatch(subject.ref.name):
        document = parsed(reader, reader.field(whole, "data", "values"))
        if document is not None:
            yield MeshConfig(places=(), values=document, is_istiods=False)
        return
    if not _CONFIG_MAP_NAME.fullmatch(subject.ref.name):
        return
    text = reader.field(whole, "data", "mesh")
    if text.value is None:
        return
    document = parsed(reader, text)
    if document is not None and (subject.ref.namespace in _CONTROL_PLANES or _is_mesh_config(document)):
        yield MeshConfig(places=(document,))


def _is_mesh_config(document: Node) -> bool:
    names = {f"{key}".replace("_", "").lower() for key in as_mapping(document.value) or {}}
    return not names.isdisjoint(field.lower() for field in _FIELDS)
