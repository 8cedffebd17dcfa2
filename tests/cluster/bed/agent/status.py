"""What the agent reports of a pod."""

import datetime as dt
from collections.abc import Mapping, Sequence

from tests.cluster.bed.agent.api import Object
from tests.cluster.bed.agent.containers import Container


def status(
    pod: Object,
    *,
    phase: str,
    address: str | None,
    host: str,
    containers: Mapping[str, Container],
    since: Mapping[str, str],
    waiting: str | None = None,
) -> Object:
    """The pod's status.

    Args:
        pod: the pod.
        phase: `Pending`, `Running`, `Succeeded` or `Failed`.
        address: the pod's address; `None` before it has one.
        host: its node's address.
        containers: those that were started, by name.
        since: when each condition became what it is, with its value, as `Ready=True`.
        waiting: why it does not run yet.
    """
    spec = pod["spec"]
    ready = phase == "Running" and all(
        each["name"] in containers and containers[each["name"]].ready for each in lasting(spec)
    )
    initialized = phase in {"Running", "Succeeded"}
    values = {"PodReadyToStartContainers": address is not None, "Initialized": initialized}
    values |= {"ContainersReady": ready, "Ready": ready, "PodScheduled": True}
    reported: Object = {
        "phase": phase,
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "startTime": pod["metadata"]["creationTimestamp"],
        "conditions": [
            {
                "type": kind,
                "status": str(value),
                "lastTransitionTime": since.get(f"{kind}={value}", now()),
                **({} if value or waiting is None else {"reason": "Waiting", "message": waiting}),
            }
            for kind, value in values.items()
        ],
        "containerStatuses": _containers(spec["containers"], containers, waiting),
        "initContainerStatuses": _containers(spec.get("initContainers", []), containers, waiting),
    }
    if address is not None:
        reported |= {"podIP": address, "podIPs": [{"ip": address}]}
    return reported


def lasting(spec: Object) -> list[Object]:
    """The containers that run as long as the pod: its own, and sidecars, which stand among the init containers."""
    sidecars = [each for each in spec.get("initContainers", []) if each.get("restartPolicy") == "Always"]
    return [*sidecars, *spec["containers"]]


def now() -> str:
    """This moment, as the API writes it."""
    return dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _containers(specs: Sequence[Object], containers: Mapping[str, Container], waiting: str | None) -> list[Object]:
    return [_container(spec, containers.get(spec["name"]), waiting) for spec in specs]


def _container(spec: Object, container: Container | None, waiting: str | None) -> Object:
    code = None if container is None else container.exit_code
    if container is None:
        state: Object = {"waiting": {"reason": "Waiting", "message": waiting or "not started yet"}}
    elif code is None:
        state = {"running": {"startedAt": now()}}
    else:
        state = {"terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "finishedAt": now()}}
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": spec["image"],
        "ready": container is not None and container.ready,
        "started": container is not None and code is None,
        "restartCount": 0 if container is None else container.restarts,
        "state": state,
    }
