"""Istio's ProxyConfig: what in it makes a sidecar see less, or be told by somebody else (mesh/v1alpha1/proxy.proto).

The same message stands in an annotation of a pod and in `defaultConfig` of the mesh.
"""

import re
from typing import Final

from policy.reading import Node, Reader, join, shown

_REPLACES: Final = {
    "binaryPath": "/usr/local/bin/envoy",
    "configPath": "./etc/istio/proxy",
    "customConfigFile": "",
    "proxyBootstrapTemplatePath": "",
}
"""Fields with which the sidecar is another, or runs another configuration; with their defaults (pkg/config/mesh)."""
_CAPTURING: Final = frozenset({"REDIRECT", "TPROXY"})
_CAPTURES_DNS: Final = "ISTIO_META_DNS_CAPTURE"
_TRUE: Final = frozenset({"1", "t", "true"})  # Go's strconv.ParseBool, in lower case
_HARMLESS_VARIABLES: Final = frozenset(
    {
        "EXIT_ON_ZERO_ACTIVE_CONNECTIONS",
        "ISTIO_DUAL_STACK",
        "ISTIO_META_DNS_AUTO_ALLOCATE",
        "ISTIO_META_ENABLE_HBONE",
        "ISTIO_META_HTTP10",
        "ISTIO_META_IDLE_TIMEOUT",
        "MINIMUM_DRAIN_DURATION",
        "SECRET_TTL",
    }
)
"""Variables of the sidecar and of what sets up its capture that say neither whom it asks nor what it takes."""


def judge_proxy_config(reader: Reader, config: Node) -> None:
    """Report to `reader` what in a ProxyConfig leads past the sidecar; `discovery_address` is for the caller to judge.

    Args:
        reader: collects the findings.
        config: the ProxyConfig, or nothing.
    """
    for key, default in _REPLACES.items():
        replaced = proxy_field(reader, config, key)
        if reader.text(replaced) not in (None, "", default):
            reader.report(replaced, f"{key} replaces the sidecar or what it is told")
    judge_interception(reader, proxy_field(reader, config, "interceptionMode"))
    judge_variables(reader, proxy_field(reader, config, "proxyMetadata"), "proxyMetadata")


def discovery_address(reader: Reader, config: Node) -> Node:
    """Where a ProxyConfig says that the sidecar's configuration comes from: `host:port`."""
    return proxy_field(reader, config, "discoveryAddress")


def judge_interception(reader: Reader, mode: Node) -> None:
    """Report to `reader` a mode of interception that captures nothing, or that nobody knows."""
    text = reader.text(mode)
    if text is None or text.upper() in _CAPTURING:
        return
    wrong = "captures nothing" if text.upper() == "NONE" else "is no known mode"
    reader.report(mode, f"{shown(text)} {wrong}")


def judge_variables(reader: Reader, variables: Node, field: str) -> None:
    """Report to `reader` variables of the sidecar that can change what it takes or whom it asks.

    Args:
        reader: collects the findings.
        variables: the variables by their names, or nothing.
        field: what the field is called, for messages: `proxyMetadata`, `environmentVariables`.
    """
    for key, value in reader.mapping(variables).items():
        variable = Node(value=value, path=join(variables.path, f"{key}"))
        text = reader.text(variable)
        if key == _CAPTURES_DNS:
            if text is not None and text.lower() not in _TRUE:
                reader.report(variable, f"{shown(text)} takes the pods' DNS away from the sidecar")
        elif key not in _HARMLESS_VARIABLES:
            reader.report(variable, f"{field} sets {shown(key)} for the sidecar")


def proxy_field(reader: Reader, config: Node, key: str) -> Node:
    """A field of a ProxyConfig, also by its name in the proto file: `interceptionMode` is `interception_mode`."""
    own = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key)
    fields = reader.mapping(config)
    return reader.field(config, own if fields.get(key) is None and fields.get(own) is not None else key)
