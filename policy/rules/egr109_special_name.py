"""EGR109: names in top-level domains that the public DNS does not have need an approval."""

from collections.abc import Iterator

from policy.destinations import DESTINATION_KINDS, destinations_of
from policy.facts.names import NameClass, classify_name
from policy.name_findings import is_approved_name
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, context: Context) -> Iterator[Finding]:
    for place in destinations_of(subject).names:
        found = classify_name(place.name, context.grants.cluster_domain, context.namespaces)
        if found is NameClass.SPECIAL_TLD and not is_approved_name(place.name, context.grants):
            yield Finding(path=place.path, message=f"{place.text} is not in the public DNS, and no approval covers it")


RULE = ObjectRule(
    id="EGR109",
    name="special-name",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="A destination in .internal, .local, .lan or another domain that is not in the public DNS is in an "
    "approved zone.",
    why="Whoever runs the resolver decides where such a name leads: to the private network, to a node, or by "
    "multicast to whichever neighbour answers first.",
    remediation="give a public name, or have the security team approve the zone under privateNames",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: billing, namespace: apps}
spec:
  endpoints:
    - fqdn: {hostname: billing.example.com, port: 8080}
""",
    url="approvals.md#privatename",
    source="RFC 6761, RFC 6762, RFC 8375, RFC 9476; ICANN: the reservation of .internal, and name collision",
    check=_check,
)
