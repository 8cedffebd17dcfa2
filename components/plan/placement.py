"""Where gateway pods run: on the egress nodes, which alone have the addresses that firewalls outside know."""

from typing import Any

from components.settings.egress import ExistingNodes


def placement(nodes: ExistingNodes, pod_labels: dict[str, str]) -> dict[str, Any]:
    """The pod fields `nodeSelector`, `tolerations` and `topologySpreadConstraints`.

    One pod more in a zone than in another at most. Zones whose nodes are drained do not count, so that the pods of
    a lost zone can start in those that are left. An update's new pods are counted among themselves: counted with the
    old ones, which go, all of them could end in one zone.
    """
    return {
        "nodeSelector": dict(sorted(nodes.labels.items())),
        "tolerations": [
            {"key": key, "operator": "Exists", "effect": taint.effect}
            if taint.value is None
            else {"key": key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
            for key, taint in sorted(nodes.taints.items())
        ],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "nodeAffinityPolicy": "Honor",
                "nodeTaintsPolicy": "Honor",
                "labelSelector": {"matchLabels": pod_labels},
                "matchLabelKeys": ["pod-template-hash"],
            }
        ],
    }
