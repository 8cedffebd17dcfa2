"""EGR108: private addresses need an approval that holds them."""

from collections.abc import Iterator

from policy.address_findings import (
    PRIVATE_CLASSES,
    cluster_range_of,
    is_approved,
    judged_addresses,
    missing_approval,
    said,
)
from policy.destinations import DESTINATION_KINDS
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    for place in judged_addresses(subject):
        found = PRIVATE_CLASSES & place.classes
        # A virtual address is reached by nobody; the cluster's own ones are never approved: EGR107.
        if place.virtual or not found or cluster_range_of(place, context.grants) is not None:
            continue
        if not is_approved(place, context.grants):
            kinds = " and ".join(sorted(found))
            yield Finding(path=place.path, message=f"{said(place)} {kinds}, {missing_approval(place, context.grants)}")


RULE = ObjectRule(
    id="EGR108",
    name="private-address",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="A destination in private, shared or unique local address space is in an approved range, on an approved "
    "port.",
    why="Private networks trust who is inside. The gateway is inside: through it, whoever may use the route reaches "
    "databases, consoles and neighbours that never expected strangers.",
    remediation="have the security team approve the range with its ports, as narrow as can be, under privateRanges, "
    "and say the port in the object",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  endpoints:
    - ip: {address: 47.96.10.20, port: 17000}
""",
    url="approvals.md#privaterange",
    source="RFC 1918, RFC 6598, RFC 4193; OWASP SSRF Prevention Cheat Sheet",
    check=_check,
)
