"""EGR111: ports of databases, shells and monitoring, which somebody should look at."""

from collections.abc import Iterator

from policy.destinations import BACKEND, DESTINATION_KINDS, destinations_of
from policy.facts.ports import questionable_port
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_CLEAR_TEXT = 80


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    for place in destinations_of(subject).ports:
        service = questionable_port(place.number)
        if service is not None:
            yield Finding(path=place.path, message=f"{place.number} is usually {service}")
        elif place.number == _CLEAR_TEXT and subject.group_kind == BACKEND:
            yield Finding(path=place.path, message="80 is plain text: whoever is on the way can read and answer it")


RULE = ObjectRule(
    id="EGR111",
    name="questionable-port",
    severity=Severity.WARN,
    applies_to=DESTINATION_KINDS,
    summary="A destination at the port of a database, a shell, mail, monitoring or plain-text HTTP is one that "
    "somebody meant.",
    why="Such services are legitimate destinations, and also what an intruder looks for first. Whoever reviews the "
    "change should see them.",
    remediation="check that the service is meant, and prefer one with TLS",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: billing, namespace: apps}
spec:
  endpoints:
    - fqdn: {hostname: billing.example.com, port: 443}
  tls:
    wellKnownCACertificates: System
    sni: billing.example.com
""",
    url="https://www.iana.org/assignments/service-names-port-numbers/",
    source="IANA Service Name and Port Number Registry; OWASP SSRF Prevention Cheat Sheet",
    check=_check,
)
