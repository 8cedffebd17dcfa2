"""The environment and the command line of a container, as a pod's spec gives them."""

import re
from collections.abc import Mapping
from typing import Final

from tests.cluster.bed import addresses
from tests.cluster.bed.agent.api import Object
from tests.cluster.bed.agent.images import Image
from tests.cluster.bed.agent.volumes import NotThereYet, Volumes, pod_field

_REFERENCE: Final = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_QUANTITY: Final = re.compile(r"^(?P<number>[\d.]+)(?P<unit>m|Ki|Mi|Gi|)$")
_UNITS: Final = {"": 1.0, "m": 0.001, "Ki": 1024.0, "Mi": 1024.0**2, "Gi": 1024.0**3}
_NODE: Final = {"limits.cpu": "2", "limits.memory": str(8 * 1024**3)}
"""What a container may use that states no limit."""


def environment(pod: Object, container: Object, volumes: Volumes) -> dict[str, str]:
    """The variables of a container.

    Raises:
        NotThereYet: a ConfigMap or Secret that it names does not exist.
        ValueError: the agent does not know that kind of source.
    """
    variables = {
        "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/",
        "HOSTNAME": pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": addresses.API_SERVICE,
        "KUBERNETES_SERVICE_PORT": "443",
    }
    for item in container.get("env", []):
        if "value" in item or "valueFrom" not in item:
            variables[item["name"]] = expanded(item.get("value", ""), variables)
        elif (value := _value(pod, container, item["valueFrom"], volumes)) is not None:
            variables[item["name"]] = value
    return variables


def command(container: Object, image: Image, variables: Mapping[str, str]) -> list[str]:
    """What a container runs."""
    program = container.get("command") or list(image.entrypoint)
    return [expanded(word, variables) for word in [*program, *container.get("args", [])]]


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """A text with `$(NAME)` replaced by the variable's value; `$$` is a dollar sign, unknown names stay."""
    return _REFERENCE.sub(lambda found: "$" if found[1] is None else variables.get(found[1], found[0]), text)


def _value(pod: Object, container: Object, source: Object, volumes: Volumes) -> str | None:
    if "fieldRef" in source:
        return pod_field(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return _resource(container, source["resourceFieldRef"])
    for key, kind in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if key in source:
            reference = source[key]
            data = volumes.data(pod, kind, reference["name"], reference.get("optional"))
            if reference["key"] in data:
                return data[reference["key"]].decode()
            if reference.get("optional"):
                return None
            raise NotThereYet(f"{kind}/{reference['name']}, key {reference['key']}")
    raise ValueError(f"the agent does not know this source of a variable: {source}")


def _resource(container: Object, reference: Object) -> str:
    """A whole number, rounded up to the divisor, as the downward API gives it."""
    group, _, name = reference["resource"].partition(".")
    stated = container.get("resources", {}).get(group, {}).get(name, _NODE.get(reference["resource"], "0"))
    divisor = reference.get("divisor", "0")
    amount = _amount(stated) / (_amount(divisor) or 1.0)
    return str(int(amount) if amount == int(amount) else int(amount) + 1)


def _amount(quantity: str) -> float:
    match = _QUANTITY.match(quantity)
    if match is None:
        raise ValueError(f"the agent does not know this quantity: {quantity}")
    return float(match["number"]) * _UNITS[match["unit"]]
