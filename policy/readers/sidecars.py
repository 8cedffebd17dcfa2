"""How a pod says that its sidecar shall not see its traffic (Istio's labels, annotations and container names)."""

from typing import Final

from policy.readers.containers import containers_in
from policy.readers.embedded_yaml import parsed
from policy.readers.pods import PodTemplate
from policy.readers.proxy_config import discovery_address, judge_interception, judge_proxy_config, proxy_field
from policy.reading import Node, Reader, as_mapping, shown

_PREFIX: Final = "traffic.sidecar.istio.io/"
_INJECT: Final = "sidecar.istio.io/inject"
_MODE: Final = "istio.io/dataplane-mode"
_NONE: Final = "none"
_INTERCEPTION: Final = "sidecar.istio.io/interceptionMode"
_PROXY_CONFIG: Final = "proxy.istio.io/config"
_TEMPLATES_KEY: Final = "inject.istio.io/templates"
_DISCOVERY: Final = "sidecar.istio.io/discoveryAddress"
_GATEWAY: Final = "gateway"
_EVERYTHING: Final = "*"

_EXCLUDES: Final = (f"{_PREFIX}excludeOutboundIPRanges", f"{_PREFIX}excludeOutboundPorts")
_EXCLUDED_INTERFACES: Final = f"{_PREFIX}excludeInterfaces"
_INCLUDES: Final = f"{_PREFIX}includeOutboundIPRanges"
_INBOUND: Final = f"{_PREFIX}includeInboundPorts"
_REPLACES: Final = (_TEMPLATES_KEY, "proxy.istio.io/overrides")
_REPLACES_SIDECAR: Final = ("sidecar.istio.io/bootstrapOverride", "sidecar.istio.io/proxyImage")
"""Annotations with which the pod brings a sidecar of its own; a gateway may well, and gateways use the first two."""
_VOLUMES: Final = ("sidecar.istio.io/userVolume", "sidecar.istio.io/userVolumeMount")
"""Volumes for the sidecar, which could cover its own files; elsewhere than in clients they hold certificates."""
_ENVOY: Final = 1337
"""The user and group of the sidecar, whose own traffic is not captured (istio/istio: tools/istio-iptables)."""
_CONTAINERS: Final = frozenset({"istio-proxy", "istio-init", "istio-validation", "enable-core-dump"})
"""What injection adds; a container of the same name changes it (Istio: Customizing injection)."""
_UNCHANGING: Final = frozenset(
    {"imagePullPolicy", "name", "resources", "terminationMessagePath", "terminationMessagePolicy"}
)
"""All that such a container may say: everything else could run something as the sidecar's user, or cover its files."""
_IPTABLES: Final = "NET_ADMIN"
_REPLACED: Final = "replaces the sidecar or what it is told"


def judge_pod(reader: Reader, template: PodTemplate, *, is_client: bool) -> None:
    """Report to `reader` what in a pod leads past its sidecar.

    Args:
        reader: collects the findings.
        template: the pod.
        is_client: whether it has to have a sidecar, and istiod's. Of other pods only that is judged which none does for
            an ordinary reason: control planes, gateways and Jobs rightly have no sidecar, or bring their own.
    """
    if is_client:
        _judge_injection(reader, template)
    annotations = reader.field(template.metadata, "annotations")
    judge_annotations(reader, annotations, is_client=is_client)
    is_captured = not _is_left_out(template, is_client=is_client)
    if is_captured:
        for key in () if is_client else _REPLACES_SIDECAR:
            _judge_text(reader, reader.field(annotations, key), _REPLACED)
        _judge_user(reader, reader.field(template.spec, "securityContext"))
    # Of other pods than clients' EGR605 alone reports containers that cannot be read.
    for container in containers_in(template, reader if is_client else Reader()):
        if not is_client and as_mapping(container.value) is None:
            continue
        if reader.text(reader.field(container, "name")) in _CONTAINERS:
            if is_captured:
                _judge_injected(reader, container)
        elif is_captured:
            _judge_user(reader, reader.field(container, "securityContext"))
            if is_client:
                _judge_capabilities(reader, container)


def judge_annotations(reader: Reader, annotations: Node, *, is_client: bool) -> None:
    """Report to `reader` which annotations of a pod lead past its sidecar; the arguments are those of `judge_pod`."""
    config = _proxy_config(reader, annotations)
    if is_client:
        _judge_text(reader, reader.field(annotations, _EXCLUDED_INTERFACES), "{} goes past the sidecar")
        for key in (*_REPLACES, *_REPLACES_SIDECAR, *_VOLUMES):
            _judge_text(reader, reader.field(annotations, key), _REPLACED)
        _judge_inbound(reader, reader.field(annotations, _INBOUND))
        judge_proxy_config(reader, config)
    else:
        judge_interception(reader, proxy_field(reader, config, "interceptionMode"))
    _judge_text(reader, reader.field(annotations, _DISCOVERY), _REPLACED)
    _judge_text(reader, discovery_address(reader, config), f"discoveryAddress {_REPLACED}")
    _judge_capture(reader, annotations)


def _judge_injection(reader: Reader, template: PodTemplate) -> None:
    for key in ("labels", "annotations"):
        inject = reader.field(template.metadata, key, _INJECT)
        text = reader.text(inject)
        if text not in (None, "", "true"):
            reader.report(inject, f"{shown(text)} leaves the pod without a sidecar")
    mode = reader.field(template.metadata, "labels", _MODE)
    if reader.text(mode) == _NONE:
        reader.report(mode, "'none' takes the pod out of the mesh")


def _judge_capture(reader: Reader, annotations: Node) -> None:
    for key in _EXCLUDES:
        _judge_text(reader, reader.field(annotations, key), "{} goes past the sidecar")
    included = reader.field(annotations, _INCLUDES)
    text = reader.text(included)
    if text is not None and text.strip() != _EVERYTHING:
        reader.report(included, f"all but {shown(text)} goes past the sidecar")
    judge_interception(reader, reader.field(annotations, _INTERCEPTION))


def _judge_inbound(reader: Reader, included: Node) -> None:
    # A gateway listens by itself; in a client this takes mutual TLS and authorization off everything that it serves.
    if reader.text(included) == "":
        reader.report(included, "nothing that is sent to the pod goes through the sidecar")


def _judge_text(reader: Reader, node: Node, message: str) -> None:
    """Report any text at `node`, with `message`, in which `{}` is that text."""
    text = reader.text(node)
    if text:
        reader.report(node, message.replace("{}", shown(text)))


def _judge_injected(reader: Reader, container: Node) -> None:
    fields = (key for key in reader.mapping(container) if isinstance(key, str))
    for key in sorted(set(fields) - _UNCHANGING):
        changed = reader.field(container, key)
        if changed.value is not None and (key, changed.value) != ("image", "auto"):
            reader.report(changed, f"changes what injection makes of {reader.field(container, 'name').value}")


def _judge_capabilities(reader: Reader, container: Node) -> None:
    for item in reader.items(reader.field(container, "securityContext", "capabilities", "add")):
        text = reader.text(item)
        if text is not None and text.upper().removeprefix("CAP_") == _IPTABLES:
            reader.report(item, f"{shown(text)} can undo the capture of the pod's traffic")


def _proxy_config(reader: Reader, annotations: Node) -> Node:
    annotation = reader.field(annotations, _PROXY_CONFIG)
    return parsed(reader, annotation) or Node(value=None, path=annotation.path)


def _is_left_out(template: PodTemplate, *, is_client: bool) -> bool:
    """Whether nothing of the pod is captured anyway, so that it may well run as the sidecar's user.

    A gateway's whole pod is its proxy (istio/istio: pkg/kube/inject/inject.go reads this from the annotation alone).
    """
    reader = Reader()
    templates = reader.text(reader.field(template.metadata, "annotations", _TEMPLATES_KEY)) or ""
    if _GATEWAY in (name.strip() for name in templates.split(",")):
        return True
    injects = [reader.field(template.metadata, key, _INJECT).value for key in ("labels", "annotations")]
    is_out = "false" in injects or reader.field(template.metadata, "labels", _MODE).value == _NONE
    return is_out and not is_client


def _judge_user(reader: Reader, context: Node) -> None:
    for key in ("runAsUser", "runAsGroup"):
        user = reader.field(context, key)
        if reader.number(user) == _ENVOY:
            reader.report(user, f"{_ENVOY} is the sidecar's own, whose traffic is not captured")
