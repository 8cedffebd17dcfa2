"""EGR114: unix sockets need an approval, and those of runtimes and agents get none."""

from collections.abc import Iterator

from policy.destinations import DESTINATION_KINDS, destinations_of
from policy.facts.sockets import owner_of
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    for place in destinations_of(subject).sockets:
        owner = owner_of(place.text)
        if owner is not None:
            yield Finding(path=place.path, message=f"{place.text} belongs to {owner}, which nothing approves")
        elif place.text not in context.grants.unix_sockets:
            yield Finding(path=place.path, message=f"{place.text} is a unix socket that is not approved")


RULE = ObjectRule(
    id="EGR114",
    name="unix-socket",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="A unix socket is approved by its exact path, and is none of a container runtime, kubelet or mesh agent.",
    why="Sockets have no address that a NetworkPolicy sees, and trust whoever can open them: the Docker socket is "
    "root on the node, the agent's socket is the pod's identity.",
    remediation="connect by address, or have the security team approve the socket's exact path under unixSockets",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: processor, namespace: apps}
spec:
  endpoints:
    - ip: {address: 47.96.10.20, port: 9002}
""",
    url="approvals.md#unixsocket",
    source="envoyproxy/gateway: api/v1alpha1/backend_types.go; the owners in policy/facts/sockets.py",
    check=_check,
)
