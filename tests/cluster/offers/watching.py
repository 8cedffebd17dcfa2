"""What is seen of calls to backends: who answered, which proxies asked, and what they write down."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Answer, Pod
from tests.cluster.bed.processes import wait_until
from tests.cluster.offers.asking import DEFAULT
from tests.cluster.offers.declared import NAMESPACE

_IN_A_ROW: Final = 15
"""Of two that get half of the requests each, one is left out so often once in sixteen thousand times."""


def proxies(cluster: Cluster, gateway: str = DEFAULT) -> list[Pod]:
    """The proxies of a Gateway."""
    return cluster.pods(NAMESPACE, f"gateway.envoyproxy.io/owning-gateway-name={gateway}")


def addresses(cluster: Cluster, gateway: str = DEFAULT) -> set[str]:
    """Their addresses."""
    return {pod.address for pod in proxies(cluster, gateway)}


def server(answer: Answer) -> str:
    """Which host outside answered."""
    assert answer.outcome == "200", answer
    return answer.body.split()[0]


def headers(answer: Answer) -> dict[str, str]:
    """The headers of an answer that was asked for with `--include`."""
    lines = answer.body.replace("\r\n", "\n").partition("\n\n")[0].splitlines()[1:]
    return {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def asked(cluster: Cluster, host: str, path: str) -> list[Mapping[str, Any]]:
    """The requests for a path that a host outside has seen: each test has paths of its own."""
    return cluster.outside.seen(host, event="request", path=path)


def paths(cluster: Cluster, host: str, since: int) -> list[str]:
    """The paths of all requests that a host outside has seen from a line on, but for the proxies' own health checks."""
    seen = cluster.outside.seen(host, since=since, event="request")
    return [str(each["path"]) for each in seen if each["path"] not in {"/health", "/zoned"}]


def settled(ask: Callable[[], str], wanted: set[str]) -> None:
    """Ask until enough answers in a row are each one of the wanted ones, and all of those are among them.

    Proxies learn of their endpoints' health one after the other, so the first answers say nothing yet.
    """
    seen: list[str] = []

    def are_alike() -> bool:
        seen.append(ask())
        return len(seen) >= _IN_A_ROW and set(seen[-_IN_A_ROW:]) == wanted

    what = f"{_IN_A_ROW} answers of {', '.join(sorted(wanted))}"
    wait_until(are_alike, what, seconds=90, why_not=lambda: str(seen))


def told(cluster: Cluster, path: str, gateway: str = DEFAULT) -> Mapping[str, Any]:
    """What the one proxy that was asked for a path has logged, once it has."""
    found: list[Mapping[str, Any]] = []

    def is_logged() -> bool:
        lines = [line for pod in proxies(cluster, gateway) for line in pod.access_log("envoy")]
        found[:] = [line for line in lines if line.get("path") == path]
        return found != []

    wait_until(is_logged, f"a line about {path}", seconds=20)
    return found[-1]
