"""Which fields of a pod the agent heeds, and which it leaves out on purpose; a pod with any other is not started.

So what a chart begins to use, and the agent does not know, is an error and not a pod that seems to work.
"""

from typing import Final

from tests.cluster.bed.agent.api import Object

_HEEDED: Final = {
    "containers",
    "initContainers",
    "nodeName",
    "restartPolicy",
    "securityContext",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "volumes",
}
_OF_OTHERS: Final = {
    "affinity",
    "nodeSelector",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "schedulerName",
    "tolerations",
    "topologySpreadConstraints",
}
"""What the scheduler heeds."""
_LEFT_OUT: Final = {
    "automountServiceAccountToken",
    "dnsPolicy",
    "enableServiceLinks",
    "imagePullSecrets",
    "serviceAccount",
}
"""Every pod asks cluster DNS, admission has mounted the token, and no image is pulled."""
_CONTAINER: Final = {"args", "command", "env", "image", "lifecycle", "name", "readinessProbe", "restartPolicy"}
_CONTAINER_MORE: Final = {"ports", "resources", "securityContext", "startupProbe", "volumeMounts"}
_CONTAINER_LEFT_OUT: Final = {
    "imagePullPolicy",
    "livenessProbe",  # a container that hangs stays as it is, and its test fails
    "stdin",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
}


def check(spec: Object) -> None:
    """See that the agent knows what a pod asks for.

    Raises:
        ValueError: it does not; the message names the fields.
    """
    unknown = set(spec) - _HEEDED - _OF_OTHERS - _LEFT_OUT
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        unknown |= {
            f"{container['name']}.{key}" for key in set(container) - _CONTAINER - _CONTAINER_MORE - _CONTAINER_LEFT_OUT
        }
    unknown |= {f"volumes.{each['name']}.hostPath" for each in spec.get("volumes", []) if "hostPath" in each}
    if unknown:
        raise ValueError(f"the agent does not know these fields: {', '.join(sorted(unknown))}")
