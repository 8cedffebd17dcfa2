"""EGR713: a pod that gets an EIP of its own."""

import re
from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import CLUSTER_ADDON, CLUSTERS, CONFIG_MAP, POD_EIP
from policy.readers.cloud.pod_networking import PROFILES
from policy.readers.pods import POD_KINDS, pod_templates_of
from policy.reading import Node, Reader, join, root
from policy.rule import UNKNOWN, Context, Finding, ObjectRule, Severity, Subject

_PREFIXES: Final = frozenset({"k8s.aliyun.com", "network.alibabacloud.com"})
_WORD: Final = "eip"
_IN_PROFILE: Final = re.compile(r"\b(?:k8s\.aliyun\.com|network\.alibabacloud\.com)/[a-z-]*\beip\b")
_CONTROLLER: Final = "ack-extend-network-controller"
"""The component of ACK that reads these annotations."""
_WITH_ADDONS: Final = CLUSTERS | {CLUSTER_ADDON}
_CHARTS: Final = frozenset({"helm.sh/Chart", "helm.sh/Release"})
_SWITCH: Final = "with-eip"
"""`pod-with-eip` and `eci-with-eip` say whether there is one at all; the others are nothing but about one."""


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    if subject.group_kind == POD_EIP:
        yield Finding(path="", message="gives a pod a way out of its own")
        return
    if subject.group_kind in _CHARTS:
        chart = Reader().field(root(subject.whole), "chart")
        if f"{chart.value}".rpartition("/")[2] == _CONTROLLER:
            yield Finding(path=chart.path, message="gives an EIP to whichever pod asks for one by an annotation")
        return
    if subject.group_kind in _WITH_ADDONS:
        yield from _addons(subject)
        return
    if subject.group_kind == CONFIG_MAP:
        yield from _profile(subject)
        return
    reader = Reader()
    for template in pod_templates_of(subject):
        annotations = reader.field(template.metadata, "annotations")
        for key, value in reader.mapping(annotations).items():
            node = Node(value=value, path=join(annotations.path, f"{key}"))
            if _is_about_eips(f"{key}") and not (f"{key}".endswith(_SWITCH) and reader.text(node) in (None, "false")):
                reader.report(node, "gives the pod an EIP, by which it goes out past the gateway")
    yield from reader.findings


def _addons(subject: Subject) -> Iterator[Finding]:
    reader, whole = Reader(), root(subject.whole)
    listed = [whole] if subject.group_kind == CLUSTER_ADDON else reader.items(reader.field(whole, "addons"))
    for addon in listed:
        name = reader.field(addon, "name")
        if name.value == _CONTROLLER:
            yield Finding(path=name.path, message="gives an EIP to whichever pod asks for one by an annotation")


def _profile(subject: Subject) -> Iterator[Finding]:
    """What a profile of virtual nodes writes into pods that it selects."""
    selectors = Reader().field(root(subject.whole), "data", "selectors")
    if subject.ref.name not in PROFILES:
        return
    if selectors.value is UNKNOWN:
        yield Finding(path=selectors.path, message="is not known before the update, so it cannot be judged")
    elif isinstance(selectors.value, str) and _IN_PROFILE.search(selectors.value):
        yield Finding(path=selectors.path, message="gives an EIP to pods that it selects")


def _is_about_eips(key: str) -> bool:
    prefix, _, name = key.partition("/")
    return prefix in _PREFIXES and _WORD in name.split("-")


RULE = ObjectRule(
    id="EGR713",
    name="pod-elastic-address",
    severity=Severity.BLOCK,
    applies_to=POD_KINDS | CLUSTERS | _CHARTS | {CLUSTER_ADDON, CONFIG_MAP, POD_EIP},
    summary="No pod has an EIP, by an annotation, a profile or a PodEIP, and nothing in the cluster gives them out.",
    why="ack-extend-network-controller puts an EIP on the pod's network interface. The pod then reaches the internet "
    "without any route: past NetworkPolicies of nodes, the egress gateway, the NAT gateway and its firewall. (An EIP "
    "of a LoadBalancer Service is no way out: through a load balancer a pod can only be reached.)",
    remediation="remove the annotations with eip in their name, the PodEIP, or the addon; send what goes out "
    "through the egress gateway, and let in by a Service of type LoadBalancer",
    example="""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: game, namespace: apps}
spec:
  selector: {matchLabels: {app: game}}
  template:
    metadata: {labels: {app: game}, annotations: {k8s.aliyun.com/pod-with-eip: "false"}}
    spec:
      containers: [{name: game, image: game:1}]
""",
    url="https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/"
    "associate-an-eip-with-a-pod-1",
    source="ACK: Attach an independent EIP to a pod; ACS: Annotations for attaching an EIP to a pod; VPC: IPv4 gateway "
    "overview",
    check=_check,
)
