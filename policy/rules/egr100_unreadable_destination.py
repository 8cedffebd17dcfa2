"""EGR100: an address or a name that two programs would read differently, or that nobody can read or judge yet."""

from collections.abc import Iterable

from policy.destinations import DESTINATION_KINDS, destinations_of
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    return destinations_of(subject).unreadable


RULE = ObjectRule(
    id="EGR100",
    name="unreadable-destination",
    severity=Severity.BLOCK,
    applies_to=DESTINATION_KINDS,
    summary="Every destination is an address or a host name in its one plain form, known in the preview.",
    why="`127.1`, `0x7f000001`, `010.0.0.1`, `localhost.` and full-width letters are read differently by the"
    " checker and by the proxy that connects; a value that is unknown in the preview could become "
    "anything. A unix socket leads to whatever listens on the node.",
    remediation="write a dotted IPv4 or a plain IPv6 address, or a lower-case host name without a trailing "
    "dot (punycode for other scripts), as a known value",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: n9e, namespace: apps}
spec:
  endpoints:
    - ip: {address: 47.96.10.20, port: 17000}
""",
    url="https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html",
    source="OWASP SSRF Prevention Cheat Sheet; envoyproxy/gateway internal/gatewayapi/backend.go",
    exceptable=False,
    check=_check,
)
