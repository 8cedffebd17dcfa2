"""EGR110: ports at which the cluster, its proxies or its container runtime are run."""

from collections.abc import Iterator

from policy.destinations import DESTINATION_KINDS, destinations_of
from policy.facts.ports import denied_port
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    for place in destinations_of(subject).ports:
        owner = denied_port(place.number)
        if owner is not None:
            yield Finding(path=place.path, message=f"{place.number} is the port of {owner}")


RULE = ObjectRule(
    id="EGR110",
    name="denied-port",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="No destination is at the port of a control plane, a proxy's admin interface, or a container runtime.",
    why="Whatever the address is today, at these ports answers what runs clusters and proxies, often without asking "
    "who calls. An approved address does not approve them.",
    remediation="let the service listen at a port of its own, and give that one",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  endpoints:
    - ip: {address: 47.96.10.20, port: 17000}
""",
    url="https://kubernetes.io/docs/reference/networking/ports-and-protocols/",
    source="Kubernetes: Ports and Protocols; Istio: ports used by Istio; the others in policy/facts/ports.py",
    exceptable=False,
    check=_check,
)
