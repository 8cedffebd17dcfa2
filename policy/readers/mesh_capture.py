"""What keeps pods or traffic of a whole mesh away from the sidecars: values of istiod's chart, and of its webhook."""

from policy.readers.sidecars import judge_annotations
from policy.reading import Node, Reader, is_empty, shown

_EVERYTHING = "*"
_ENABLED = "enabled"
_EXCLUDES = ("excludeIPRanges", "excludeOutboundPorts")
_SYSTEM_NAMESPACES = frozenset({"istio-system", "kube-node-lease", "kube-public", "kube-system"})


def judge_capture(reader: Reader, proxy: Node) -> None:
    """Report to `reader` what in the values under `global.proxy` sends traffic past the sidecars."""
    included = reader.field(proxy, "includeIPRanges")
    text = reader.text(included)
    if text not in (None, _EVERYTHING):
        reader.report(included, f"{shown(text)} sends everything else past the sidecar")
    for key in _EXCLUDES:
        excluded = reader.field(proxy, key)
        text = reader.text(excluded)
        if text not in (None, ""):
            reader.report(excluded, f"{shown(text)} goes past the sidecar")
    judge_policy(reader, reader.field(proxy, "autoInject"))


def judge_policy(reader: Reader, policy: Node) -> None:
    """Report to `reader` a policy by which pods get no sidecar unless they ask."""
    text = reader.text(policy)
    if text not in (None, _ENABLED):
        reader.report(policy, f"{shown(text)} leaves pods without a sidecar")


def judge_injection(reader: Reader, webhook: Node) -> None:
    """Report to `reader` which pods the webhook passes over, and what it writes on each that leads past the sidecar."""
    never = reader.field(webhook, "neverInjectSelector")
    reader.items(never)
    if not is_empty(never):
        reader.report(never, "leaves the pods that it selects without a sidecar")
    judge_annotations(reader, reader.field(webhook, "injectedAnnotations"), is_client=True)


def judge_excluded_namespace(reader: Reader, namespace: Node) -> None:
    """Report to `reader` a namespace that Istio's CNI plugin shall pass over, unless it is the system's."""
    text = reader.text(namespace)
    if text is not None and text not in _SYSTEM_NAMESPACES:
        reader.report(namespace, f"{shown(text)} is passed over, so nothing of its pods is captured")
