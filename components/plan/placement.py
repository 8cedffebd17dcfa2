"""Where gateway pods run: on the egress nodes, which alone have the addresses that firewalls outside know."""

from typing import Any, Final

from components.settings.cloud.nodes import ChosenNodes

_ZONE: Final = "topology.kubernetes.io/zone"


def placement(nodes: ChosenNodes | None, pod_labels: dict[str, str]) -> dict[str, Any]:
    """The pod fields `nodeSelector`, `tolerations` and `topologySpreadConstraints`. Without `nodes`: on any.

    One pod more in a zone than in another at most. Zones whose nodes are drained do not count, so that the pods of
    a lost zone can start in those that are left. An update's new pods are counted among themselves: counted with the
    old ones, which go, all of them could end in one zone.
    """
    return {
        **({} if nodes is None else node_choice(nodes)),
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": _ZONE,
                "whenUnsatisfiable": "DoNotSchedule",
                "nodeAffinityPolicy": "Honor",
                "nodeTaintsPolicy": "Honor",
                "labelSelector": {"matchLabels": pod_labels},
                "matchLabelKeys": ["pod-template-hash"],
            }
        ],
    }


def node_choice(nodes: ChosenNodes) -> dict[str, Any]:
    """The pod fields `nodeSelector` and `tolerations`."""
    return {
        "nodeSelector": dict(sorted(nodes.labels.items())),
        "tolerations": [
            {"key": key, "operator": "Exists", "effect": taint.effect}
            if taint.value is None
            else {"key": key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
            for key, taint in sorted(nodes.taints.items())
        ],
    }


def avoiding_each_other(pod_labels: dict[str, str]) -> dict[str, Any]:
    """The pod field `affinity`: other zones first, other nodes next. Where neither is to be had, pods still start."""
    terms = ((100, _ZONE), (50, "kubernetes.io/hostname"))
    return {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": weight,
                    "podAffinityTerm": {"topologyKey": key, "labelSelector": {"matchLabels": pod_labels}},
                }
                for weight, key in terms
            ]
        }
    }
