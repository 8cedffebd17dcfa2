"""EGR302: a NetworkPolicy that opens what nobody can answer for as one destination."""

from collections.abc import Iterator

from policy.readers.network_policies import (
    NETWORK_POLICY,
    is_only_dns,
    may_hold_clients,
    openings_of,
    shown_blocks,
    wide_blocks,
)
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    openings = openings_of(subject)
    yield from openings.unreadable
    for rule in openings.egress:
        if is_only_dns(rule.ports) and not may_hold_clients(subject.ref.namespace, context):
            continue  # for EGR308 to say
        for finding in rule.unbounded:
            yield Finding(path=finding.path, message=f"{finding.message}, so it opens every destination")
    wide = wide_blocks(openings, subject.ref.namespace, context)
    if wide != ():
        yield Finding(path="spec.egress", message=f"the ipBlocks {shown_blocks(wide)} together are too wide")


RULE = ObjectRule(
    id="EGR302",
    name="network-policy-wide",
    severity=Severity.BLOCK,
    applies_to=frozenset({NETWORK_POLICY}),
    lockdown=True,
    summary="What a NetworkPolicy lets out can be read, and leads to narrow blocks or to pods, in whatever namespace.",
    why="Policies add up, so the widest one decides: a block larger than an IPv4 /16 or an IPv6 /32, halves of one, "
    "or a rule without `to` leads past every declared destination. `except` takes little away from such a block.",
    remediation="list the destinations' own blocks; for a gateway whose destinations' addresses move, have their "
    "ports approved (publicRanges) and except every range that is not public",
    example="""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: proxies, namespace: envoy-gateway-system}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: proxy}}
  policyTypes: [Egress]
  egress:
    - to: [{ipBlock: {cidr: 47.96.10.20/32}}, {ipBlock: {cidr: 47.96.10.21/32}}]
      ports: [{protocol: TCP, port: 17000}]
""",
    url="https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors",
    source="Kubernetes: Network Policies; kubernetes/api: networking/v1/types.go",
    check=_check,
)
