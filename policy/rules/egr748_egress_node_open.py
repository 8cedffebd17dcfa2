"""EGR748: existing egress nodes that any pod gets onto, or that one failure takes away."""

from collections.abc import Iterator
from typing import Final

from policy.readers.cloud.kinds import NODE
from policy.readers.nodes import is_egress_node, missing_taint, taints_in, zone_of_node
from policy.reading import Reader, root
from policy.rule import Context, Finding, Severity, StackRule, Subject

_LEAST: Final = 2


def _check(subjects: tuple[Subject, ...], context: Context) -> Iterator[Finding]:
    if not context.egress_labels or not subjects:
        return  # nobody says which nodes are meant
    nodes = [node for node in subjects if is_egress_node(node, context)]
    for node in nodes:
        yield from (finding.of(node) for finding in _judge_taints(node, context))
        if zone_of_node(node) is None:
            path = "metadata.labels['topology.kubernetes.io/zone']"
            yield Finding(path=path, message="is missing, so nobody knows in which zone it is").of(node)
    zones = {zone_of_node(node) for node in nodes} - {None}
    if not nodes:
        labels = ", ".join(f"{key}={value}" for key, value in sorted(context.egress_labels))
        yield Finding(path="", message=f"no node has the labels of the egress nodes: {labels}")
    elif len(zones) < _LEAST and all(zone_of_node(node) for node in nodes):
        yield Finding(path="", message=f"all egress nodes are in {', '.join(map(str, sorted(map(str, zones))))}")


def _judge_taints(node: Subject, context: Context) -> Iterator[Finding]:
    reader = Reader()
    taints = reader.field(root(node.whole), "spec", "taints")
    missing = missing_taint(taints_in(reader, taints), context)
    if reader.findings:
        yield from reader.findings
    elif missing is not None:
        yield Finding(path=taints.path, message=missing)


RULE = StackRule(
    id="EGR748",
    name="egress-node-open",
    severity=Severity.BLOCK,
    applies_to=frozenset({NODE}),
    lockdown=True,
    summary="Nodes with the labels of the egress nodes have a taint of the settings with NoSchedule or NoExecute, and "
    "are in two zones or more.",
    why="Without the taint the scheduler puts any pod there, and what runs on an egress node leaves with the addresses "
    "that firewalls outside trust. In one zone, all of them fail at once.",
    remediation="give the nodes the labels and the taint of egress.nodes, best in their node pool, so that new nodes "
    "have them too; add nodes in another zone",
    example="""\
apiVersion: v1
kind: Node
metadata:
  name: cn-hangzhou.10.20.8.10
  labels: {cluster-egress/egress: "true", topology.kubernetes.io/zone: cn-hangzhou-h}
spec:
  providerID: cn-hangzhou.i-1
  taints: [{key: cluster-egress/egress, value: "true", effect: NoSchedule}]
""",
    url="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
    source="Kubernetes: Taints and Tolerations; Well-Known Labels, topology.kubernetes.io/zone",
    check=_check,
)
