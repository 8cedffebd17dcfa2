"""EGR102: metadata and other link-local addresses give out the node's credentials."""

from collections.abc import Iterable

from policy.address_findings import findings_of_classes
from policy.destinations import DESTINATION_KINDS
from policy.facts.addresses import AddressClass
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CLASSES = frozenset({AddressClass.METADATA, AddressClass.LINK_LOCAL})


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    return findings_of_classes(subject, _CLASSES, virtual=_CLASSES)


RULE = ObjectRule(
    id="EGR102",
    name="metadata-address",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="No destination is a metadata or link-local address, in any spelling or embedding.",
    why="The cloud's metadata service gives whoever reaches it the node's credentials, and knows it only by "
    "where it comes from. Behind a proxy, everybody comes from the node.",
    remediation="give the address of the outside service itself; let pods get credentials from a workload identity",
    example="""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: billing, namespace: apps}
spec:
  hosts: [billing.example.com]
  ports: [{number: 443, name: tls, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: 47.96.10.20}]
""",
    url="https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata",
    source="IANA Special-Purpose Address Registries; the clouds' own pages, named in policy/facts/special_ranges.py",
    exceptable=False,
    check=_check,
)
