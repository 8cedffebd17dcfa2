"""How a pod says that its sidecar shall not see its traffic (Istio's labels, annotations and container names)."""

from collections.abc import Mapping
from typing import Final

import yaml

from policy.readers.pods import PodTemplate
from policy.reading import Node, Reader, as_mapping, shown

_PREFIX: Final = "traffic.sidecar.istio.io/"
_INJECT: Final = "sidecar.istio.io/inject"
_MODE: Final = "istio.io/dataplane-mode"
_INTERCEPTION: Final = "sidecar.istio.io/interceptionMode"
_PROXY_CONFIG: Final = "proxy.istio.io/config"
_EVERYTHING: Final = "*"

_EXCLUDES: Final = (
    f"{_PREFIX}excludeInterfaces",
    f"{_PREFIX}excludeOutboundIPRanges",
    f"{_PREFIX}excludeOutboundPorts",
)
_INCLUDES: Final = f"{_PREFIX}includeOutboundIPRanges"
_REPLACES: Final = (
    "inject.istio.io/templates",
    "proxy.istio.io/overrides",
    "sidecar.istio.io/bootstrapOverride",
    "sidecar.istio.io/discoveryAddress",
    "sidecar.istio.io/proxyImage",
)
"""Annotations with which the pod brings a sidecar of its own, or one that asks somebody else than istiod."""
_CONFIG_REPLACES: Final = (
    "binaryPath",
    "configPath",
    "customConfigFile",
    "discoveryAddress",
    "proxyBootstrapTemplatePath",
)
"""The same in ProxyConfig (istio/api: mesh/v1alpha1/proxy.proto)."""
_HARMLESS_METADATA: Final = frozenset(
    {
        "EXIT_ON_ZERO_ACTIVE_CONNECTIONS",
        "ISTIO_META_DNS_AUTO_ALLOCATE",
        "ISTIO_META_DNS_CAPTURE",
        "MINIMUM_DRAIN_DURATION",
    }
)
"""Of `proxyMetadata`, which sets any variable of the sidecar: those that do not say whom it asks or what it takes."""
_ENVOY: Final = 1337
"""The user and group of the sidecar, whose own traffic is not captured (istio/istio: tools/istio-iptables)."""
_CONTAINERS: Final = frozenset({"istio-proxy", "istio-init", "istio-validation", "enable-core-dump"})
"""What injection adds; a container of the same name changes it (Istio: Customizing injection)."""
_CHANGES: Final = ("args", "command", "env", "envFrom", "image", "securityContext")
_IPTABLES: Final = "NET_ADMIN"


def judge_pod(reader: Reader, template: PodTemplate) -> None:
    """Report to `reader` what in the metadata and in the security context of a pod leads past its sidecar."""
    for key in ("labels", "annotations"):
        inject = reader.field(template.metadata, key, _INJECT)
        text = reader.text(inject)
        if text not in (None, "", "true"):
            reader.report(inject, f"{shown(text)} leaves the pod without a sidecar")
    mode = reader.field(template.metadata, "labels", _MODE)
    if reader.text(mode) == "none":
        reader.report(mode, "'none' takes the pod out of the mesh")
    annotations = reader.field(template.metadata, "annotations")
    for key in _EXCLUDES:
        excluded = reader.field(annotations, key)
        if reader.text(excluded):
            reader.report(excluded, f"{shown(excluded.value)} goes past the sidecar")
    included = reader.field(annotations, _INCLUDES)
    text = reader.text(included)
    if text is not None and text.strip() != _EVERYTHING:
        reader.report(included, f"all but {shown(text)} goes past the sidecar")
    _judge_interception(reader, reader.field(annotations, _INTERCEPTION))
    for key in _REPLACES:
        replaced = reader.field(annotations, key)
        if reader.text(replaced):
            reader.report(replaced, "replaces the sidecar or what it is told")
    _judge_proxy_config(reader, reader.field(annotations, _PROXY_CONFIG))
    _judge_user(reader, reader.field(template.spec, "securityContext"))


def judge_container(reader: Reader, container: Node) -> None:
    """Report to `reader` what in a container leads past the sidecar beside it."""
    name = reader.text(reader.field(container, "name"))
    context = reader.field(container, "securityContext")
    if name in _CONTAINERS:
        for key in _CHANGES:
            changed = reader.field(container, key)
            if changed.value is not None and (key, changed.value) != ("image", "auto"):
                reader.report(changed, f"changes what injection makes of {name}")
        return
    _judge_user(reader, context)
    for item in reader.items(reader.field(context, "capabilities", "add")):
        text = reader.text(item)
        if text is not None and text.upper().removeprefix("CAP_") == _IPTABLES:
            reader.report(item, f"{shown(text)} can undo the capture of the pod's traffic")


def _judge_interception(reader: Reader, mode: Node) -> None:
    text = reader.text(mode)
    if text is not None and text.upper() == "NONE":
        reader.report(mode, f"{shown(text)} captures nothing")


def _judge_proxy_config(reader: Reader, annotation: Node) -> None:
    text = reader.text(annotation)
    if text is None:
        return
    try:
        config = as_mapping(yaml.load(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        config = None
    if config is None:
        reader.report(annotation, "is no ProxyConfig in YAML")
        return
    for key in _CONFIG_REPLACES:
        if _named(config, key) is not None:
            reader.report(annotation, f"{key} replaces the sidecar or what it is told")
    mode = _named(config, "interceptionMode")
    if mode is not None:
        _judge_interception(reader, Node(value=mode, path=annotation.path))
    variables = as_mapping(_named(config, "proxyMetadata")) or {}
    for name in variables:
        if name not in _HARMLESS_METADATA:
            reader.report(annotation, f"proxyMetadata sets {shown(name)} for the sidecar")


def _named(config: Mapping[object, object], key: str) -> object:
    """The field `key`, which protobuf also takes by its own name: interceptionMode is interception_mode."""
    own = "".join(f"_{char.lower()}" if char.isupper() else char for char in key)
    return config.get(key, config.get(own))


def _judge_user(reader: Reader, context: Node) -> None:
    for key in ("runAsUser", "runAsGroup"):
        user = reader.field(context, key)
        if reader.number(user) == _ENVOY:
            reader.report(user, f"{_ENVOY} is the sidecar's own, whose traffic is not captured")
