"""Exceptions and severities: what may be excused, for how long, and what cannot be."""

import datetime as dt
from dataclasses import replace

import pytest
from rule_fixtures import TODAY, documents, exception

from policy.registry import RULES, judge, judge_object, judge_stack, severity_in
from policy.rule import Context, Grants, Posture, RuleException, Severity, Subject
from policy.subjects import subjects_of

UNVERIFIED = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: legacy, namespace: apps}
spec:
  endpoints: [{fqdn: {hostname: legacy.example.com, port: 443}}]
  tls: {insecureSkipVerify: true}
"""
LOOPBACK = UNVERIFIED.replace("fqdn: {hostname: legacy.example.com,", "ip: {address: 127.0.0.1,")
CLIENT_LABELS = "{cluster-egress/role: client, istio-injection: enabled}"
OPEN_CLIENT = f"{{apiVersion: v1, kind: Namespace, metadata: {{name: news, labels: {CLIENT_LABELS}}}}}"


def _subjects(*texts: str) -> tuple[Subject, ...]:
    return tuple(subject for text in texts for whole in documents(text) for subject in subjects_of(whole))


def _ids(subjects: tuple[Subject, ...], *exceptions: RuleException, today: dt.date = TODAY) -> list[str]:
    context = Context(today=today, grants=Grants(exceptions=exceptions))
    return [violation.rule.id for violation in judge(subjects, context)]


def test_an_exception_excuses_its_object_from_its_rule_only() -> None:
    """Guards against an exception that is wider than what was granted."""
    granted = exception(rule="EGR105", kind="Backend", namespace="apps", name="legacy")
    other = UNVERIFIED.replace("name: legacy", "name: other")
    assert _ids(_subjects(UNVERIFIED)) == ["EGR105"]
    assert _ids(_subjects(UNVERIFIED), granted) == []
    assert _ids(_subjects(UNVERIFIED, other), granted) == ["EGR105"]


@pytest.mark.parametrize("change", [{"kind": "Service"}, {"namespace": "app"}, {"name": "legac"}, {"name": "*"}])
def test_only_an_exact_match_counts(change: dict[str, str]) -> None:
    """Guards against matching by prefix or pattern."""
    given = {"rule": "EGR105", "kind": "Backend", "namespace": "apps", "name": "legacy"} | change
    assert _ids(_subjects(UNVERIFIED), exception(**given)) == ["EGR105", "EGR004"]


def test_an_expired_exception_does_not_apply_and_is_reported() -> None:
    """Guards against exceptions that last for ever."""
    granted = exception(rule="EGR105", kind="Backend", namespace="apps", name="legacy", expires="2026-11-01")
    assert _ids(_subjects(UNVERIFIED), granted, today=dt.date(2026, 11, 1)) == []
    assert _ids(_subjects(UNVERIFIED), granted, today=dt.date(2026, 11, 2)) == ["EGR105", "EGR003"]


def test_an_unused_exception_is_a_warning() -> None:
    """Guards against left-over exceptions, without stopping anybody for them."""
    granted = exception(rule="EGR104", kind="Backend", namespace="apps", name="legacy")
    violations = judge(_subjects(UNVERIFIED), Context(today=TODAY, grants=Grants(exceptions=(granted,))))
    assert [(v.rule.id, v.severity) for v in violations] == [("EGR105", Severity.BLOCK), ("EGR004", Severity.WARN)]


def test_what_no_approval_could_make_safe_cannot_be_excused() -> None:
    """Guards against an exception for the proxy's own admin interface."""
    granted = exception(rule="EGR101", kind="Backend", namespace="apps", name="legacy")
    assert _ids(_subjects(LOOPBACK), granted) == ["EGR101", "EGR105", "EGR004"]
    never = {rule.id for rule in RULES if rule.id < "EGR200" and not rule.exceptable}
    assert never == {f"EGR{number}" for number in ("001", "002", "003", "004", 100, 101, 102, 103, 106, 107, 110)}


def test_a_stack_rule_can_be_excused_for_one_namespace() -> None:
    """Guards against losing the exception, or reporting it unused, because the finding comes from a stack rule."""
    granted = exception(rule="EGR301", kind="Namespace", name="news")
    assert _ids(_subjects(OPEN_CLIENT)) == ["EGR301"]
    assert _ids(_subjects(OPEN_CLIENT), granted) == []


def test_judging_in_parts_is_judging_the_whole() -> None:
    """Guards against the engine, which judges objects and stack apart, saying something else than `egress check`."""
    granted = exception(rule="EGR105", kind="Backend", namespace="apps", name="legacy")
    context = Context(today=TODAY, grants=Grants(exceptions=(granted,)))
    subjects = _subjects(UNVERIFIED, LOOPBACK, OPEN_CLIENT)
    parts = [v for subject in subjects for v in judge_object(subject, context)] + judge_stack(subjects, context)
    assert parts == judge(subjects, context)
    assert [v.rule.id for v in parts] == ["EGR101", "EGR301"]


def test_lock_down_warns_while_observing_and_nothing_else_does() -> None:
    """Guards against breaking a stack that only watches, and against watching becoming a way around the rules."""
    observing = Context(today=TODAY, posture=Posture.OBSERVE)
    severities = {v.rule.id: v.severity for v in judge(_subjects(OPEN_CLIENT, LOOPBACK), observing)}
    assert severities == {"EGR101": Severity.BLOCK, "EGR105": Severity.BLOCK, "EGR301": Severity.WARN}


def test_severities_can_be_raised_only() -> None:
    """Guards against switching a rule off by configuration."""
    for rule in RULES:
        plain = Context(today=TODAY, posture=Posture.OBSERVE)
        raised = replace(plain, raised=frozenset({rule.id}))
        assert severity_in(rule, raised) is Severity.BLOCK
        assert severity_in(rule, plain) is (Severity.WARN if rule.lockdown else rule.severity)


def test_a_violation_reads_as_one_sentence_with_the_way_out() -> None:
    """Guards against a message that does not name its rule first, the object, the path, or what to write instead."""
    violation = judge(_subjects(LOOPBACK), Context(today=TODAY))[0]
    assert str(violation) == (
        "EGR101 loopback-address: Backend apps/legacy: spec.endpoints[0].ip.address: 127.0.0.1 is loopback. "
        "Instead: give the address of the outside service itself."
    )
