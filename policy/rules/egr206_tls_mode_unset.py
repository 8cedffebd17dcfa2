"""EGR206: TLS settings without a mode, which Istio reads as no TLS at all."""

from collections.abc import Iterator

from policy.readers.destination_rules import DESTINATION_RULE, MODES, tls_settings_of
from policy.reading import Reader, root, shown
from policy.rule import Context, Finding, ObjectRule, Severity, Subject


def _check(subject: Subject, _context: Context) -> Iterator[Finding]:
    reader = Reader()
    for tls in tls_settings_of(reader.field(root(subject.whole), "spec"), reader):
        found = len(reader.findings)
        mode = reader.field(tls, "mode")
        text = reader.text(mode)
        if text is None and len(reader.findings) == found:
            reader.report(mode, "is missing, which means DISABLE: no TLS, whatever else stands there")
        elif text is not None and text not in MODES:
            reader.report(mode, f"{shown(text)} is no known mode")
    yield from reader.findings


RULE = ObjectRule(
    id="EGR206",
    name="tls-mode-unset",
    severity=Severity.BLOCK,
    applies_to=frozenset({DESTINATION_RULE}),
    summary="TLS settings of a DestinationRule say their mode.",
    why="The mode that is not there is DISABLE. Settings with an SNI and an authority look like TLS, and send the "
    "request in plain text.",
    remediation="set mode: SIMPLE, MUTUAL or ISTIO_MUTUAL; DISABLE if plain text is meant; or leave tls out",
    example="""\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: edition-cnn, namespace: news}
spec:
  host: edition.cnn.com
  trafficPolicy:
    portLevelSettings:
      - port: {number: 443}
        tls: {mode: SIMPLE, sni: edition.cnn.com}
""",
    url="https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings-TLSmode",
    source="istio/api: networking/v1alpha3/destination_rule.proto",
    check=_check,
)
