"""Charts and the values that they are installed with, whatever object asks for it: Pulumi's releases, Flux, Argo CD."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy.reading import Node, Reader, root
from policy.rule import Subject

_PULUMI_RELEASE = "helm.sh/Release"
_PULUMI_CHART = "helm.sh/Chart"
_FLUX = "helm.toolkit.fluxcd.io/HelmRelease"
_ARGO = "argoproj.io/Application"
INSTALL_KINDS = frozenset({_PULUMI_RELEASE, _PULUMI_CHART, _FLUX, _ARGO})
"""The kinds that `installs_of` knows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Install:
    """One chart and its values."""

    chart: str
    """The chart's own name, the last part of its address or path: `istiod`, `gateway-helm`; empty if unreadable."""
    values: Node
    """The values that stand in the object."""
    elsewhere: Node
    """Where the object says that more values come from, that nobody sees here; a value of None if nowhere."""


def installs_of(subject: Subject, reader: Reader) -> Iterator[Install]:
    """The charts that `subject`, of one of `INSTALL_KINDS`, installs."""
    whole = root(subject.whole)
    kind = subject.group_kind
    spec = reader.field(whole, "spec") if kind in (_FLUX, _ARGO) else whole
    if kind == _FLUX:
        chart = reader.field(spec, "chart", "spec", "chart")
        reference = reader.field(spec, "chartRef", "name")
        named = chart if chart.value is not None else reference
        yield _install(reader, named, reader.field(spec, "values"), reader.field(spec, "valuesFrom"))
    elif kind == _ARGO:
        sources = [reader.field(spec, "source"), *reader.items(reader.field(spec, "sources"))]
        for source in sources:
            helm = reader.field(source, "helm")
            texts = [reader.field(helm, key) for key in ("values", "parameters", "valueFiles", "fileParameters")]
            elsewhere = next((text for text in texts if text.value is not None), texts[0])
            yield _install(reader, reader.field(source, "chart"), reader.field(helm, "valuesObject"), elsewhere)
    elif kind in INSTALL_KINDS:
        chart = reader.field(whole, "chart")
        yield _install(reader, chart, reader.field(whole, "values"), reader.field(whole, "valueYamlFiles"))


def _install(reader: Reader, chart: Node, values: Node, elsewhere: Node) -> Install:
    text = reader.text(chart)
    name = "" if text is None else text.rstrip("/").rpartition("/")[2].partition(":")[0]
    return Install(chart=name, values=values, elsewhere=elsewhere)
