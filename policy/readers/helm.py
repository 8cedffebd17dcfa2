"""Charts and the values that they are installed with, whatever asks for it: Pulumi's releases, Flux, Argo CD, k3s."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policy.readers.embedded_yaml import parsed
from policy.reading import Node, Reader, as_mapping, as_sequence, is_empty, root
from policy.rule import Subject

_PULUMI_RELEASE = "helm.sh/Release"
_PULUMI_CHART = "helm.sh/Chart"
_FLUX = "helm.toolkit.fluxcd.io/HelmRelease"
_ARGO = "argoproj.io/Application"
_K3S = "helm.cattle.io/HelmChart"
_K3S_CONFIG = "helm.cattle.io/HelmChartConfig"
INSTALL_KINDS = frozenset({_PULUMI_RELEASE, _PULUMI_CHART, _FLUX, _ARGO, _K3S, _K3S_CONFIG})
"""The kinds that `installs_of` knows."""
_ARGO_ELSEWHERE = ("parameters", "valueFiles", "fileParameters")
_K3S_ELSEWHERE = ("set", "valuesSecrets", "chartContent")
_PULUMI_ELSEWHERE = ("valueYamlFiles", "postrender", "postRenderer")


@dataclass(frozen=True, kw_only=True, eq=False)
class Install:
    """One chart and its values."""

    chart: str
    """The last part of the chart's name, address or path: `istiod`, `gateway-helm`; empty if unreadable."""
    values: Node
    """The values that stand in the object."""
    elsewheres: tuple[Node, ...]
    """Where the object says that more values come from, that nobody sees here."""
    is_whole: bool = True
    """Whether what is left out means the chart's defaults; else the object adds to another one's values."""

    @property
    def elsewhere(self) -> Node:
        """The first of these places; a value of None if there is none."""
        return next(iter(self.elsewheres), Node(value=None, path=""))


def installs_of(subject: Subject, reader: Reader) -> Iterator[Install]:
    """The charts that `subject`, of one of `INSTALL_KINDS`, installs."""
    whole = root(subject.whole)
    kind = subject.group_kind
    spec = whole if kind in (_PULUMI_RELEASE, _PULUMI_CHART) else reader.field(whole, "spec")
    if kind == _FLUX:
        named = _first(reader.field(spec, "chart", "spec", "chart"), reader.field(spec, "chartRef", "name"))
        changes = _changes(reader.field(spec, "postRenderers"))
        yield _install(reader, named, reader.field(spec, "values"), reader.field(spec, "valuesFrom"), changes)
    elif kind == _ARGO:
        for source in (reader.field(spec, "source"), *reader.items(reader.field(spec, "sources"))):
            helm = reader.field(source, "helm")
            named = _first(reader.field(source, "chart"), reader.field(source, "path"))
            values, text = _values(reader, helm, "valuesObject", "values")
            elsewhere = [reader.field(helm, key) for key in _ARGO_ELSEWHERE]
            yield _install(reader, named, values, text, *elsewhere)
    elif kind in (_K3S, _K3S_CONFIG):
        named = _first(reader.field(spec, "chart"), reader.field(whole, "metadata", "name"))
        values, text = _values(reader, spec, "values", "valuesContent")
        elsewhere = [reader.field(spec, key) for key in _K3S_ELSEWHERE]
        yield _install(reader, named, values, text, *elsewhere, is_whole=kind == _K3S)
    elif kind in INSTALL_KINDS:
        named = _first(reader.field(whole, "chart"), reader.field(whole, "path"))
        elsewhere = [reader.field(whole, key) for key in _PULUMI_ELSEWHERE]
        yield _install(reader, named, reader.field(whole, "values"), *elsewhere)


def _first(chart: Node, other: Node) -> Node:
    return chart if chart.value is not None or other.value is None else other


def _values(reader: Reader, holder: Node, as_object: str, as_text: str) -> tuple[Node, Node]:
    """The values, and the text of values that cannot be read, or that stands beside them."""
    values, text = reader.field(holder, as_object), reader.field(holder, as_text)
    if not is_empty(values) or not isinstance(text.value, str):
        return values, text
    # Of most charts nobody asks for the values, so that what is wrong with them is nobody's finding.
    document = parsed(Reader(), text)
    if document is None:
        return values, text
    return document, Node(value=None, path=text.path)


def _changes(renderers: Node) -> Node:
    """Flux's changes to what a chart renders; other images alone are none, as values may say them too."""
    items = as_sequence(renderers.value) or ()
    are_images = bool(items) and all(_is_images(as_mapping(item)) for item in items)
    return Node(value=None, path=renderers.path) if are_images else renderers


def _is_images(renderer: Mapping[object, object] | None) -> bool:
    if renderer is None or set(renderer) != {"kustomize"}:
        return False
    kustomize = as_mapping(renderer["kustomize"])
    return kustomize is not None and set(kustomize) == {"images"}


def _install(reader: Reader, chart: Node, values: Node, *elsewhere: Node, is_whole: bool = True) -> Install:
    text = reader.text(chart)
    name = "" if text is None else text.rstrip("/").rpartition("/")[2].partition(":")[0]
    given = tuple(node for node in elsewhere if not is_empty(node) and node.value != "")
    return Install(chart=name, values=values, elsewheres=given, is_whole=is_whole)
