"""EGR761: a PodNetworking with fixed addresses for pods that Terway passes over."""

from collections.abc import Iterator, Mapping
from typing import Final

from policy.readers.cloud.kinds import POD_NETWORKING
from policy.readers.cloud.pod_networking import (
    FIXED,
    NAMESPACE_NAME,
    PodNetworking,
    labels_of,
    named_namespaces,
    pod_networking_of,
)
from policy.readers.pods import WORKLOAD_KINDS, pod_templates_of
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_NAMESPACE: Final = "core/Namespace"
_NAMED: Final = frozenset({"Pod", "PodTemplate", "SidecarSet", "StatefulSet"})
"""Kinds whose pods keep their names, and those that say nothing of them."""
_JUDGED: Final = frozenset(kind for kind in WORKLOAD_KINDS if kind.rpartition("/")[2] not in _NAMED)


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    namespaces = {
        subject.ref.name: dict(labels_of(Reader().field(root(subject.whole), "metadata")))
        for subject in subjects
        if subject.group_kind == _NAMESPACE
    }
    for subject in subjects:
        if subject.group_kind != POD_NETWORKING:
            continue
        networking = pod_networking_of(subject)
        if networking.allocation == FIXED:
            skipped = _skipped(networking, subjects, namespaces, context)
            if skipped is not None:
                message = f"{FIXED} is passed over for {skipped}: its pods get addresses of the node's vSwitch"
                yield Finding(path="spec.allocationType.type", message=message).of(subject)


def _skipped(
    networking: PodNetworking,
    subjects: tuple[Subject, ...],
    namespaces: Mapping[str, Mapping[object, object]],
    context: Context,
) -> str | None:
    """What it selects and does not get, for messages."""
    # Gateways are Deployments that istiod and Envoy Gateway make, so no program shows them.
    named = named_namespaces(networking.namespaces)
    gateways = sorted(context.gateway_namespaces if named is None else named & context.gateway_namespaces)
    if gateways and networking.pods.value is None:
        return f"the gateways in {gateways[0]}"
    for workload in subjects:
        if workload.group_kind in _JUDGED:
            namespace = {**namespaces.get(workload.ref.namespace, {}), NAMESPACE_NAME: workload.ref.namespace}
            if any(
                networking.may_select(dict(labels_of(pod.metadata)), namespace) for pod in pod_templates_of(workload)
            ):
                return f"{workload.ref}"
    return None


RULE = StackRule(
    id="EGR761",
    name="pod-network-skipped",
    severity=Severity.BLOCK,
    applies_to=_JUDGED | {_NAMESPACE, POD_NETWORKING},
    summary="A PodNetworking with fixed addresses selects pods of StatefulSets only.",
    why="Terway never gives a pod of a Deployment a fixed address: without a word it takes one of the node's vSwitch, "
    "which no firewall outside knows and no SNAT entry lets out.",
    remediation="write allocationType: {type: Elastic}, and have the vSwitches' ranges allowed; Fixed is for "
    "StatefulSets",
    example="""\
apiVersion: network.alibabacloud.com/v1beta1
kind: PodNetworking
metadata: {name: egress}
spec:
  allocationType: {type: Elastic}
  selector:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: istio-egress}}
  vSwitchOptions: [vsw-1, vsw-2]
  securityGroupIDs: [sg-1]
""",
    url="https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "configure-a-static-ip-address-a-separate-vswitch-and-a-separate-security-group-for-each-pod",
    source="terway: pkg/controller/webhook/mutating.go, matchOnePodNetworking; pkg/utils, IsFixedNamePod",
    check=_check,
)
