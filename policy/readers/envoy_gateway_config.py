"""The configuration of Envoy Gateway itself, wherever it stands: its own kind, a ConfigMap, the values of its chart."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from policy.readers.embedded_yaml import parsed
from policy.readers.helm import INSTALL_KINDS, installs_of
from policy.reading import Node, Reader, as_mapping, is_empty, join, root
from policy.rule import UNKNOWN, Subject

ENVOY_PROXY: Final = "gateway.envoyproxy.io/EnvoyProxy"
CONFIG_MAP: Final = "core/ConfigMap"
ENVOY_GATEWAY_CONFIG: Final = "gateway.envoyproxy.io/EnvoyGateway"
CONFIGURATION_KINDS: Final = INSTALL_KINDS | {CONFIG_MAP, ENVOY_GATEWAY_CONFIG}
"""The kinds that `configurations_of` knows."""
PROXY_KINDS: Final = CONFIGURATION_KINDS | {ENVOY_PROXY}
"""The kinds that `proxy_specs_of` knows."""

# charts/gateway-helm/templates/envoy-gateway-config.yaml
_NAME, _KEY, _CHART = "envoy-gateway-config", "envoy-gateway.yaml", "gateway-helm"
_KIND = "EnvoyGateway"
# No configuration of Envoy Gateway that does anything lacks all of these words.
_WORDS = (_KIND, "gateway.envoyproxy.io", "extensionApis")


def configurations_of(subject: Subject, reader: Reader) -> Iterator[Node]:
    """The specs of EnvoyGateway in `subject`, of one of `CONFIGURATION_KINDS`.

    Args:
        subject: the object.
        reader: collects what cannot be read on the way there.
    """
    whole = root(subject.whole)
    if subject.group_kind == ENVOY_GATEWAY_CONFIG:
        yield whole
    elif subject.group_kind == CONFIG_MAP:
        yield from _in_config_map(subject, reader)
    elif subject.group_kind in INSTALL_KINDS:
        # What cannot be read of charts in general is not Envoy Gateway's matter.
        for install in installs_of(subject, Reader()):
            if install.chart == _CHART and not is_empty(install.elsewhere):
                reader.report(install.elsewhere, "holds values of Envoy Gateway's chart that nobody can judge here")
            yield from _in_values(install.values, reader, is_own=install.chart == _CHART)


@lru_cache(maxsize=64)
def readable_configurations_of(subject: Subject) -> tuple[Node, ...]:
    """The same, without what cannot be read on the way there: the rules about configurations report that."""
    return tuple(configurations_of(subject, Reader()))


def proxy_specs_of(subject: Subject, reader: Reader) -> Iterator[Node]:
    """The specs of EnvoyProxy in `subject`, of one of `PROXY_KINDS`; a configuration holds one for every proxy."""
    if subject.group_kind == ENVOY_PROXY:
        yield reader.field(root(subject.whole), "spec")
    else:
        for configuration in readable_configurations_of(subject):
            yield reader.field(configuration, "envoyProxy")


def _in_values(values: Node, reader: Reader, *, is_own: bool) -> Iterator[Node]:
    """Values of the chart itself, or of a chart that has it as a part, under the part's name."""
    fields = as_mapping(values.value)
    if fields is None:
        if is_own and values.value is not None:
            reader.mapping(values)
        return
    parts = [Node(value=value, path=join(values.path, f"{key}")) for key, value in fields.items()]
    for part in [values, *parts]:
        inner = as_mapping(part.value)
        config = None if inner is None else inner.get("config")
        if config is UNKNOWN and is_own and part is values:
            reader.mapping(reader.field(part, "config"))
        elif as_mapping(config) is not None:
            yield reader.field(part, "config", "envoyGateway")


def _in_config_map(subject: Subject, reader: Reader) -> Iterator[Node]:
    whole = root(subject.whole)
    is_own = subject.ref.name == _NAME
    if is_own and not is_empty(reader.field(whole, "binaryData")):
        reader.report(reader.field(whole, "binaryData"), "may hold a configuration that nobody can judge here")
    data = reader.field(whole, "data")
    if not is_own and as_mapping(data.value) is None:
        return
    for key, value in reader.mapping(data).items():
        node = Node(value=value, path=join(data.path, f"{key}"))
        if isinstance(value, str) and (is_own or any(word in value for word in _WORDS)):
            yield from _in_text(reader, node, value, is_own=is_own)
        elif not isinstance(value, str) and (is_own or key == _KEY):
            reader.text(node)


def _in_text(reader: Reader, node: Node, text: str, *, is_own: bool) -> Iterator[Node]:
    scratch = Reader()
    document = parsed(scratch, node)
    if is_own or _KIND in text:
        reader.findings += scratch.findings
    fields = None if document is None else as_mapping(document.value)
    if (
        document is not None
        and fields is not None
        and (fields.get("kind") == _KIND or (is_own and "kind" not in fields))
    ):
        yield document
