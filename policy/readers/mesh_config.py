"""Istio's mesh configuration, wherever it is written: Helm values of istiod, its ConfigMap, an operator's object."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy.readers.embedded_yaml import parsed
from policy.readers.helm import INSTALL_KINDS, installs_of
from policy.reading import Node, Reader, join, root
from policy.rule import Subject

_CONFIG_MAP = "core/ConfigMap"
_ISTIO_OPERATOR = "install.istio.io/IstioOperator"
_SAIL = frozenset({"sailoperator.io/Istio", "sailoperator.io/IstioRevision", "operator.istio.io/Istio"})
MESH_CONFIG_KINDS = INSTALL_KINDS | _SAIL | {_CONFIG_MAP, _ISTIO_OPERATOR}
"""The kinds that `mesh_configs_of` knows."""

# The chart is published as `istiod`; in Istio's repository its folder is `istio-discovery`.
_CHART = re.compile(r"(istiod|istio-discovery)(-v?[0-9][^/]*)?(\.tgz)?")
_CONFIG_MAP_NAME = re.compile(r"istio(-.+)?")  # with the revision, if the control plane has one
_NOWHERE = Node(value=None, path="")


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshConfig:
    """The configuration of one mesh."""

    places: tuple[Node, ...]
    """Where its MeshConfig may stand, also where it does not; the first is the one to write to."""
    values: Node = _NOWHERE
    """The values of the chart `istiod`; a value of None where there are none."""
    elsewhere: Node = _NOWHERE
    """Where the object says that more values come from, that nobody sees here; a value of None if nowhere."""


def mesh_configs_of(subject: Subject, reader: Reader) -> Iterator[MeshConfig]:
    """The mesh configurations in `subject`, of one of `MESH_CONFIG_KINDS`; other charts and ConfigMaps have none."""
    kind = subject.group_kind
    whole = root(subject.whole)
    if kind in INSTALL_KINDS:
        for install in installs_of(subject, reader):
            if _CHART.fullmatch(install.chart.strip().lower()):
                yield _of_values(reader, install.values, install.elsewhere)
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
    elif kind in _SAIL:
        yield _of_values(reader, reader.field(whole, "spec", "values"), _NOWHERE)


def mesh_field(reader: Reader, mesh: Node, key: str) -> Node:
    """A field of a MeshConfig. istiod also takes the name of the proto field (`outbound_traffic_policy`)."""
    other = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
    if reader.mapping(mesh).get(other) is not None:
        reader.report(Node(value=None, path=join(mesh.path, other)), f"is a second spelling of {key}")
    return reader.field(mesh, key)


def _of_values(reader: Reader, values: Node, elsewhere: Node) -> MeshConfig:
    return MeshConfig(places=(reader.field(values, "meshConfig"),), values=values, elsewhere=elsewhere)


def _of_config_map(subject: Subject, reader: Reader, whole: Node) -> Iterator[MeshConfig]:
    if not _CONFIG_MAP_NAME.fullmatch(subject.ref.name):
        return
    text = reader.field(whole, "data", "mesh")
    if text.value is None:
        return
    document = parsed(reader, text)
    if document is not None:
        yield MeshConfig(places=(document,))
