"""EGR526: a limit or a check that is written down, and lets requests pass."""

from collections.abc import Iterable

from policy.readers.authentication import SECURITY_POLICY
from policy.readers.envoy_gateway_config import CONFIGURATION_KINDS, configurations_of
from policy.reading import Node, Reader, is_empty, root
from policy.rule import Context, Finding, ObjectRule, Severity, Subject

_BACKEND_TRAFFIC_POLICY = "gateway.envoyproxy.io/BackendTrafficPolicy"
_KINDS_OF_LIMIT = ("global", "local")
_PERCENT = 100  # the denominator of a Fraction that has none


def _check(subject: Subject, _context: Context) -> Iterable[Finding]:
    reader = Reader()
    if subject.group_kind == _BACKEND_TRAFFIC_POLICY:
        limits = reader.field(root(subject.whole), "spec", "rateLimit")
        for kind in _KINDS_OF_LIMIT:
            for rule in reader.items(reader.field(limits, kind, "rules")):
                _judge_rule(reader, rule)
        return reader.findings
    if subject.group_kind == SECURITY_POLICY:
        _judge_shadow(reader, reader.field(Reader().field(root(subject.whole), "spec"), "csrf", "shadowFraction"))
        return reader.findings
    # What cannot be read on the way to a configuration is EGR514's finding.
    for configuration in configurations_of(subject, Reader()):
        service = reader.field(configuration, "rateLimit")
        closes = reader.field(service, "failClosed")
        if not is_empty(service) and reader.flag(closes) is not True:
            reader.report(closes, "is not true, so there is no limit while the rate limit service does not answer")
    return reader.findings


def _judge_rule(reader: Reader, rule: Node) -> None:
    shadow = reader.field(rule, "shadowMode")
    if reader.flag(shadow) is True:
        reader.report(shadow, "true counts, and lets every request pass")
    cost = reader.field(rule, "cost")
    number = reader.field(cost, "request", "number")
    if reader.number(number) == 0 and is_empty(reader.field(cost, "response")):
        reader.report(number, "0 counts no request, and nothing else is counted")


def _judge_shadow(reader: Reader, fraction: Node) -> None:
    # Whoever forges requests sends another one, so a share of them is as good as all.
    share = reader.number(reader.field(fraction, "numerator"))
    if share is not None and share > 0:
        whole = reader.number(reader.field(fraction, "denominator")) or _PERCENT
        reader.report(fraction, f"{share} of {whole} requests pass from any page, and are only counted")


RULE = ObjectRule(
    id="EGR526",
    name="guard-not-enforced",
    severity=Severity.WARN,
    applies_to=CONFIGURATION_KINDS | {_BACKEND_TRAFFIC_POLICY, SECURITY_POLICY},
    summary="A rate limit counts requests, refuses what is too much, and holds while its service is down; a check of "
    "origins (csrf) refuses too.",
    why="Whoever reads the policy relies on it: the outside service that is paid for by the call, or that falls over; "
    "users whose browsers other pages make call. Whoever can make the counter fail, by load above all, gets past it.",
    remediation="write rateLimit.failClosed: true into Envoy Gateway's configuration, and leave shadowMode, "
    "shadowFraction and a cost of 0 out",
    example="""\
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: n9e, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: n9e}]
  rateLimit: {local: {rules: [{limit: {requests: 100, unit: Second}}]}}
""",
    url="https://gateway.envoyproxy.io/docs/tasks/traffic/global-rate-limit/",
    source="envoyproxy/gateway: api/v1alpha1/ratelimit_types.go, envoygateway_types.go, csrf_types.go, "
    "internal/xds/translator/csrf.go",
    check=_check,
)
