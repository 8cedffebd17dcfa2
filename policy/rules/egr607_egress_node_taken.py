"""EGR607: a pod that gets itself onto the egress nodes, whose addresses firewalls outside trust."""

from collections.abc import Iterator
from dataclasses import replace

from policy.readers.pods import POD_KINDS, PodTemplate, pod_templates_of
from policy.readers.tolerations import is_running, owner_of, tolerated
from policy.reading import Reader
from policy.rule import Context, Finding, ObjectRule, Severity, Subject, Taint

_AGENTS = "kube-system"
"""What runs a node runs there, on every node."""
_ANYWHERE = frozenset({"DaemonSet", "EnvoyProxy"})
"""Kinds of agents, which have to run on every node, and of gateways: without settings they may tolerate anything."""
_UNTOLD = tuple(Taint(key=" ", value=" ", effect=effect) for effect in ("NoSchedule", "NoExecute"))
"""A taint whose key and value nobody knows: none that a label can have."""


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    if subject.ref.namespace in context.gateway_namespaces | {_AGENTS}:
        return
    reader, owner = Reader(), owner_of(subject)
    kind = subject.ref.kind if owner is None else owner.kind
    if context.egress_taints:
        for template in pod_templates_of(subject):
            # Every running Pod has a node: EGR747 asks which.
            if not is_running(subject):
                _judge_node_name(reader, template)
            _judge_tolerations(reader, template, context.egress_taints)
    elif kind not in _ANYWHERE:
        # Nobody says here which taint it is, but to tolerate every one is to tolerate that.
        for template in pod_templates_of(subject):
            _judge_tolerations(reader, template, _UNTOLD)
    for finding in reader.findings:
        # An exception for a Pod would last as long as the Pod, so it is for what keeps it there.
        yield finding if owner is None else replace(finding.of(subject), ref=owner)


def _judge_node_name(reader: Reader, template: PodTemplate) -> None:
    node = reader.field(template.spec, "nodeName")
    if reader.text(node):
        reader.report(node, "names the node, so that no taint is asked")


def _judge_tolerations(reader: Reader, template: PodTemplate, taints: tuple[Taint, ...]) -> None:
    for toleration, what in tolerated(reader, template, taints):
        reader.report(toleration, f"tolerates {what}")


RULE = ObjectRule(
    id="EGR607",
    name="egress-node-taken",
    severity=Severity.BLOCK,
    applies_to=POD_KINDS,
    lockdown=True,
    summary="No pod but the gateways' gets onto the egress nodes: none tolerates their taint, or names its node.",
    why="What runs on an egress node leaves with the addresses that firewalls outside trust, so a pod that gets there "
    "reaches what only the gateway may reach.",
    remediation="tolerate other taints by their key and value; for an agent that has to run on every node, ask for an "
    "exception",
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
      tolerations: [{key: dedicated, operator: Equal, value: gpu, effect: NoSchedule}]
""",
    url="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
    source="Kubernetes: Taints and Tolerations; kubernetes/api: core/v1/toleration.go, ToleratesTaint",
    check=_check,
)
