"""What an Envoy of the bed holds: its configuration as istiod sent it, and how much that is."""

import json
from dataclasses import dataclass
from typing import Any, Final

from cli.plain_data import is_list, is_map
from tests.cluster.bed.pods import Pod

LISTENERS: Final = "dynamic_listeners"
CLUSTERS: Final = "dynamic_active_clusters"
ROUTES: Final = "dynamic_route_configs"
KINDS: Final = (LISTENERS, CLUSTERS, ROUTES)
"""Parts of the configuration, as Envoy's admin interface calls them."""
_SECONDS: Final = 120
_OF_THE_MOMENT: Final = frozenset({"last_updated", "version_info"})


@dataclass(frozen=True, kw_only=True)
class Held:
    """How much a proxy holds."""

    listeners: int
    chains: int
    """Filter chains of all listeners."""
    clusters: int
    routes: int


def held(pod: Pod) -> Held:
    """How much a pod's proxy holds now."""
    states = [each.get("active_state", {}) for each in dump(pod, LISTENERS)]
    listeners = [state["listener"] for state in states if state]
    configs = [each["route_config"] for each in dump(pod, ROUTES)]
    return Held(
        listeners=len(listeners),
        chains=sum(len(listener.get("filter_chains", ())) for listener in listeners),
        clusters=len(dump(pod, CLUSTERS)),
        routes=sum(len(host.get("routes", ())) for config in configs for host in config.get("virtual_hosts", ())),
    )


def dump(pod: Pod, kind: str) -> list[Any]:
    """A part of a proxy's configuration, without the time and version at which it came."""
    text = ask(pod, f"config_dump?resource={kind}")
    return _settled(json.loads(text).get("configs", [])) if text else []


def ask(pod: Pod, path: str) -> str:
    """What a proxy's admin interface says. Unlike `Pod.admin`, it waits for long answers."""
    command = ("curl", "--silent", "--fail", f"http://127.0.0.1:15000/{path}")
    return pod.run(*command, container="istio-proxy", user=1337, seconds=_SECONDS).stdout


def _settled(value: Any) -> Any:
    if is_map(value):
        return {key: _settled(each) for key, each in value.items() if key not in _OF_THE_MOMENT}
    return [_settled(each) for each in value] if is_list(value) else value
