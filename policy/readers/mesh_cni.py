"""The values of Istio's CNI plugin, which sets up the capture of each pod (manifests/charts/istio-cni)."""

import re
from collections.abc import Iterator

from policy.readers.helm import INSTALL_KINDS, installs_of
from policy.reading import Node, Reader, as_mapping, join, root
from policy.rule import Subject

_ISTIO_OPERATOR = "install.istio.io/IstioOperator"
_SAIL = "sailoperator.io/IstioCNI"
_CONFIG_MAP = "core/ConfigMap"
CNI_KINDS = INSTALL_KINDS | {_CONFIG_MAP, _ISTIO_OPERATOR, _SAIL}
"""The kinds that `excluded_namespaces_of` knows."""

# The chart is published as `cni`; in Istio's repository its folder is `istio-cni`.
_CHART = re.compile(r"(istio-)?cni(-v?[0-9][^/]*)?(\.tgz)?")
_DEFAULTS = "_internal_defaults_do_not_set"
_EXCLUDED = "excludeNamespaces"
# templates/configmap-cni.yaml: the same, as the agent reads it
_CONFIG_MAP_NAME = re.compile(r"istio-cni(-.+)?-config")
_VARIABLE = "EXCLUDE_NAMESPACES"


def excluded_namespaces_of(subject: Subject, reader: Reader) -> Iterator[Node]:
    """The namespaces that the plugin shall pass over; none where `subject` is of another kind than `CNI_KINDS`.

    Args:
        subject: the object.
        reader: collects what in the lists cannot be read.
    """
    if subject.group_kind == _CONFIG_MAP and _CONFIG_MAP_NAME.fullmatch(subject.ref.name):
        variable = reader.field(root(subject.whole), "data", _VARIABLE)
        names = (name.strip() for name in (reader.text(variable) or "").split(","))
        yield from (Node(value=name, path=variable.path) for name in names if name != "")
    for values in _values_of(subject):
        for layer in (values, *_parts(values, _DEFAULTS)):
            yield from reader.items(Reader().field(layer, _EXCLUDED))


def _values_of(subject: Subject) -> Iterator[Node]:
    # What cannot be read on the way there may be any chart's.
    scratch = Reader()
    if subject.group_kind in INSTALL_KINDS:
        for install in installs_of(subject, scratch):
            if _CHART.fullmatch(install.chart.strip().lower()):
                yield install.values
            yield from _parts(install.values, "cni", "istio-cni")
    elif subject.group_kind in (_ISTIO_OPERATOR, _SAIL):
        for key in ("values", "unvalidatedValues"):
            yield scratch.field(root(subject.whole), "spec", key, "cni")


def _parts(values: Node, *names: str) -> list[Node]:
    fields = as_mapping(values.value) or {}
    return [Node(value=fields[name], path=join(values.path, name)) for name in names if name in fields]
