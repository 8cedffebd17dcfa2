"""EGR747: a running pod on an egress node, which no taint kept away."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from policy.readers.cloud.kinds import NODE
from policy.readers.nodes import is_egress_node
from policy.readers.pods import pod_templates_of
from policy.readers.tolerations import POD, is_running, owner_of, tolerated
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, Severity, StackRule, Subject

_AGENTS: Final = "kube-system"
_ENDED: Final = frozenset({"Succeeded", "Failed"})


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    if not context.egress_labels or not context.egress_taints:
        return  # nobody says which nodes are meant
    nodes = {each.ref.name: is_egress_node(each, context) for each in subjects if each.group_kind == NODE}
    allowed = context.gateway_namespaces | {_AGENTS}
    for pod in subjects:
        if is_running(pod) and pod.ref.namespace not in allowed:
            for finding in _judge(pod, nodes, context):
                yield replace(finding.of(pod), ref=owner_of(pod) or pod.ref)


def _judge(pod: Subject, nodes: dict[str, bool], context: Context) -> Iterator[Finding]:
    reader, whole = Reader(), root(pod.whole)
    node = reader.field(whole, "spec", "nodeName")
    name = reader.text(node)
    if not name or Reader().text(reader.field(whole, "status", "phase")) in _ENDED:
        yield from reader.findings  # not scheduled yet, or no longer there
    elif name not in nodes:
        yield Finding(path=node.path, message=f"{shown(name)} is no node that is shown, so it may be an egress node")
    elif nodes[name] and not any(
        True for template in pod_templates_of(pod) for _ in tolerated(reader, template, context.egress_taints)
    ):
        yield Finding(path=node.path, message=f"{shown(name)} is an egress node, whose taint it does not tolerate")


RULE = StackRule(
    id="EGR747",
    name="pod-on-egress-node",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE, POD}),
    lockdown=True,
    summary="No running pod but the gateways' and the agents' of kube-system is on an egress node without tolerating "
    "its taint, of which EGR607 tells.",
    why="It named the node itself, or was there before the taint: NoSchedule moves nobody away. It leaves with the "
    "addresses that firewalls outside trust.",
    remediation="remove spec.nodeName from what creates the pod, and delete the pod; for an agent that has to run on "
    "every node, ask for an exception; give the nodes to the check as well, with kubectl get nodes -o json",
    example="""\
apiVersion: v1
kind: Node
metadata:
  name: cn-hangzhou.10.20.0.10
  labels: {topology.kubernetes.io/zone: cn-hangzhou-h}
spec: {providerID: cn-hangzhou.i-2}
---
apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop, uid: 7d6c1f3a-0c8e-4a52-9f0e-2f6b1c9d4e11}
spec:
  nodeName: cn-hangzhou.10.20.0.10
  containers: [{name: web, image: web:1}]
""",
    url="https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename",
    source="Kubernetes: Assigning Pods to Nodes, nodeName; Taints and Tolerations",
    check=_check,
)
