"""A gateway on its node's network: istiod deploys it, because the chart of the other gateways cannot.

A Gateway without an address is one that istiod deploys from its own template, changed by the strategic merge patches
in a ConfigMap (its `parametersRef`; istio.io, "Automated Deployment"). The patches say what the chart's values say for
gateways in the cluster's network, so placement, number of pods and disruption budget are the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.plan.mesh.address import MUTUAL, GatewayAddress, gateway_name
from components.plan.names import kube_name
from components.plan.objects import ConfigMap, KubeObject, Release
from components.settings.reserved import IDLE_PORT

PLACEMENT: Final = ("nodeSelector", "tolerations", "topologySpreadConstraints")
"""The chart's values that are fields of the pod under the same name."""

_ON_NODE: Final[Mapping[str, Any]] = {
    "hostNetwork": True,
    # The cluster's DNS, which pods on their node's network would not ask by themselves.
    "dnsPolicy": "ClusterFirstWithHostNet",
    # The template sets a sysctl of the pod's network, and there is none of its own; no port is below 1024.
    "securityContext": {"sysctls": None},
}


@dataclass(frozen=True, kw_only=True)
class DeployedGateway:
    """What istiod makes a gateway of."""

    parameters: ConfigMap
    gateway: KubeObject


def deployed_gateway(at: GatewayAddress, release: Release) -> DeployedGateway:
    """The gateway that `release` would install, on its node's network.

    Args:
        at: the gateway.
        release: of the chart `gateway`, as for a gateway in the cluster's network.
    """
    values, name = release.values, gateway_name(at.name)
    listener = {
        "name": "idle",
        "port": IDLE_PORT,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": MUTUAL}},
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    # The ports of a pod that goes are taken until it has gone: its successor needs its node.
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    patched = overlays(values, pod=_ON_NODE, strategy=strategy)
    given = parameters(at, {**patched, "service": _service(values["service"])})
    return DeployedGateway(
        parameters=given,
        gateway=at.object(
            "Gateway",
            name,
            {
                "gatewayClassName": "istio",
                "infrastructure": {
                    "labels": dict(values["labels"]),
                    "annotations": dict(values["podAnnotations"]),
                    "parametersRef": {"group": "", "kind": "ConfigMap", "name": given.name},
                },
                "listeners": [listener],
            },
            api_version="gateway.networking.k8s.io/v1",
            # Without them istiod appends the class to both names.
            annotations={"gateway.istio.io/name-override": name, "gateway.istio.io/service-account": name},
        ),
    )


def parameters(at: GatewayAddress, patches: Mapping[str, Any]) -> ConfigMap:
    """The ConfigMap with what istiod changes its template by, for one gateway."""
    return ConfigMap(
        name=kube_name(gateway_name(at.name), "parameters"),
        namespace=at.namespace,
        data={key: json.dumps(patch, sort_keys=True) for key, patch in patches.items()},
    )


def overlays(values: Mapping[str, Any], *, pod: Mapping[str, Any], strategy: Mapping[str, Any]) -> dict[str, Any]:
    """The patches that say of a gateway's pods what the chart's values say.

    Args:
        values: of the chart `gateway`.
        pod: further fields of the pods.
        strategy: how an update replaces them.
    """
    number = {} if "replicaCount" not in values else {"replicas": values["replicaCount"]}
    spec: dict[str, Any] = {
        **pod,
        **{key: values[key] for key in (*PLACEMENT, "terminationGracePeriodSeconds")},
        "containers": [
            {
                "name": "istio-proxy",
                "env": [{"name": name, "value": value} for name, value in sorted(values["env"].items())],
                **({"resources": values["resources"]} if "resources" in values else {}),
            }
        ],
    }
    return {
        "deployment": {"spec": {**number, "strategy": dict(strategy), "template": {"spec": spec}}},
        "podDisruptionBudget": {"spec": dict(values["podDisruptionBudget"])},
        **_by_load(values["autoscaling"]),
    }


def _by_load(values: Mapping[str, Any]) -> dict[str, Any]:
    """The patch of a HorizontalPodAutoscaler, where the number of pods goes by load."""
    if not values["enabled"]:
        return {}
    load = {"type": "Utilization", "averageUtilization": values["targetCPUUtilizationPercentage"]}
    return {
        "horizontalPodAutoscaler": {
            "spec": {
                "minReplicas": values["minReplicas"],
                "maxReplicas": values["maxReplicas"],
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": load}}],
            }
        }
    }


def _service(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"annotations": dict(values["annotations"])},
        "spec": {"type": values["type"], "ports": [dict(port) for port in values["ports"]]},
    }
