"""Calls to backends by their hostnames, at the Service of the Gateway that offers them."""

from dataclasses import dataclass
from typing import Final

from tests.cluster.bed.cluster import Cluster
from tests.cluster.bed.pods import Answer, Pod
from tests.cluster.bed.processes import wait_until

DEFAULT: Final = "cluster-egress"
EDGE: Final = "cluster-egress-edge"
APART: Final = "cluster-egress-apart"
GATEWAYS: Final = (DEFAULT, EDGE, APART)
"""The names of the Gateways, and of their Services."""
_NAMESPACE: Final = "envoy-gateway-system"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A pod that calls."""

    cluster: Cluster
    pod: Pod

    def curl(self, url: str, *arguments: str, gateway: str = DEFAULT) -> Answer:
        """Ask for a URL whose host is a backend's hostname."""
        return self.pod.curl(url, *self.to(url, gateway), *arguments)

    def settled(self, url: str, *arguments: str, gateway: str = DEFAULT, outcome: str = "200") -> Answer:
        """The answer, once the proxies know the way."""
        answers: list[Answer] = []

        def is_there() -> bool:
            answers.append(self.curl(url, *arguments, gateway=gateway))
            return answers[-1].outcome == outcome

        wait_until(is_there, f"{url} to answer {outcome}", seconds=30, why_not=lambda: str(answers[-1]))
        return answers[-1]

    def to(self, url: str, gateway: str = DEFAULT) -> tuple[str, str]:
        """Arguments for curl by which the URL's host is the Gateway."""
        scheme, _, rest = url.partition("://")
        host, _, port = rest.partition("/")[0].partition(":")
        number = port or {"http": "80", "https": "443"}[scheme]
        return "--resolve", f"{host}:{number}:{self.address(gateway)}"

    def address(self, gateway: str = DEFAULT) -> str:
        """The address of a Gateway's Service."""
        return self.cluster.kubectl.get("service", gateway, _NAMESPACE)["spec"]["clusterIP"]
