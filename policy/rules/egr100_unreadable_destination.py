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
    summary="Every destination has one plain form, known in the preview: its address or name, port, path or URL.",
    why="`127.1`, `0x7f000001`, `010.0.0.1` and full-width letters are read differently by the checker and by the "
    "proxy that connects; a value that is unknown in the preview could become anything.",
    remediation="write a dotted IPv4 or plain IPv6 address, a host name (punycode for other scripts), a port from 1 to "
    "65535, an absolute path, or an https URL, as a known value; in each endpoint exactly one of ip, fqdn and unix",
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
