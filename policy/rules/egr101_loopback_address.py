"""EGR101: loopback and unspecified addresses lead into the proxy's own pod."""

from collections.abc import Iterable

from policy.address_findings import findings_of_classes
from policy.destinations import DESTINATION_KINDS
from policy.facts.addresses import AddressClass
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CLASSES = frozenset({AddressClass.LOOPBACK, AddressClass.UNSPECIFIED})


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    return findings_of_classes(subject, _CLASSES, virtual=_CLASSES)


RULE = ObjectRule(
    id="EGR101",
    name="loopback-address",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="No destination is a loopback or unspecified address, in any spelling or embedding.",
    why="The proxy connects to itself: its admin interface answers there without authentication. Envoy "
    "Gateway rejects 127.0.0.0/8 and ::1 but accepts 0.0.0.0 and ::, which Linux connects to the same "
    "listeners.",
    remediation="give the address of the outside service itself",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  endpoints:
    - ip: {address: 47.96.10.20, port: 17000}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/backend/",
    source="IANA Special-Purpose Address Registries; envoyproxy/gateway internal/gatewayapi/backend.go",
    exceptable=False,
    check=_check,
)
