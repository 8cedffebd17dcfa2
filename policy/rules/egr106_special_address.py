"""EGR106: addresses that are no host's: multicast, reserved, documentation and benchmarking ranges."""

from collections.abc import Iterable

from policy.address_findings import findings_of_classes
from policy.destinations import DESTINATION_KINDS
from policy.facts.addresses import AddressClass
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_VIRTUAL = frozenset({AddressClass.MULTICAST})  # Istio allocates virtual addresses in a reserved range
_CLASSES = _VIRTUAL | {AddressClass.RESERVED, AddressClass.DOCUMENTATION, AddressClass.BENCHMARKING}


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    return findings_of_classes(subject, _CLASSES, virtual=_VIRTUAL)


RULE = ObjectRule(
    id="EGR106",
    name="special-address",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="No destination is a multicast, reserved, documentation or benchmarking address, or an old tunnel's.",
    why="No outside service has such an address. Multicast reaches every neighbour; 6to4, Teredo and IPv4-compatible "
    "addresses hold another address, to which a tunnel or a translator may take the traffic; an example's address is "
    "whatever somebody routes there.",
    remediation="give the address of the outside service itself",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  endpoints:
    - ip: {address: 47.96.10.20, port: 17000}
""",
    url="https://www.iana.org/assignments/iana-ipv4-special-registry/",
    source="IANA Special-Purpose Address Registries; the rows of policy/facts/special_ranges.py",
    exceptable=False,
    check=_check,
)
