"""EGR763: a pod that chooses its vSwitch itself, and so may choose that of the egress."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import POD_ENI
from policy.readers.pods import POD_KINDS, pod_templates_of
from policy.reading import Node, Reader, join
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CHOICES: Final = frozenset(
    {
        *(
            f"k8s.aliyun.com/{name}"
            for name in ("eci-vswitch", "pod-networking", "pod-networks", "pod-networks-request")
        ),
        "network.alibabacloud.com/vswitch-ids",
    }
)


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    # Without settings nobody says that there are vSwitches of an egress at all.
    if not context.gateway_namespaces or subject.ref.namespace in context.gateway_namespaces:
        return
    if subject.group_kind == POD_ENI:
        yield Finding(path="", message="gives a pod a network interface by hand, in any vSwitch")
        return
    reader = Reader()
    for template in pod_templates_of(subject):
        annotations = reader.field(template.metadata, "annotations")
        for key, value in reader.mapping(annotations).items():
            if f"{key}" in _CHOICES and value is not None:
                node = Node(value=value, path=join(annotations.path, f"{key}"))
                reader.report(node, "chooses the pod's vSwitch, that of the egress as well")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR763",
    name="pod-network-taken",
    severity=Severity.BLOCK,
    applies_to=POD_KINDS | {POD_ENI},
    lockdown=True,
    summary="No pod but the gateways' names its own vSwitch or PodNetworking.",
    why="Terway asks the annotations of a pod before any PodNetworking: whoever writes the id of an egress vSwitch "
    "there leaves with the addresses that firewalls outside trust, without a taint to tolerate.",
    remediation="remove the annotation; have the platform write a PodNetworking with vSwitches of the team's own",
    example="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: trainer, namespace: apps}
spec:
  selector: {matchLabels: {app: trainer}}
  template:
    metadata: {labels: {app: trainer}}
    spec:
      containers: [{name: trainer, image: trainer:1}]
""",
    url="https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "configure-a-static-ip-address-a-separate-vswitch-and-a-separate-security-group-for-each-pod",
    source="terway: types/k8s.go, pkg/controller/webhook/mutating.go; ECI, ACS: annotations of pods",
    check=_check,
)
