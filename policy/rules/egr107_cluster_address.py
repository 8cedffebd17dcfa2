"""EGR107: the cluster's own addresses are no destination, whatever range around them is approved."""

from collections.abc import Iterator

from policy.address_findings import cluster_range_of, judged_addresses, said_of_cluster
from policy.destinations import DESTINATION_KINDS
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    for place in judged_addresses(subject):
        known = cluster_range_of(place, context.grants)
        if known is not None:
            yield Finding(path=place.path, message=said_of_cluster(place, known))


RULE = ObjectRule(
    id="EGR107",
    name="cluster-address",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="No destination is an address of the cluster's pods, Services, nodes or API server.",
    why="It reaches another tenant's pod, or the API server, without the ReferenceGrant that a reference to the "
    "Service would need, and past the NetworkPolicies of whoever asks (CVE-2021-25740).",
    remediation="refer to the Service itself; for a machine outside, give its own address",
    example="""\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: apps}
spec:
  parentRefs: [{name: public}]
  hostnames: [web.example.com]
  rules:
    - backendRefs: [{name: web, port: 8080}]
""",
    url="https://github.com/kubernetes/kubernetes/issues/103675",
    source="CVE-2021-25740; the ranges under cluster in the stack's approvals",
    exceptable=False,
    check=_check,
)
