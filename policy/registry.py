"""The one way to judge with the rules that every front end shares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from policy.exceptions import exception_for
from policy.readers.cloud.answers.together import settled
from policy.rule import (
    ANY_KIND,
    AuditRule,
    Context,
    Finding,
    ObjectRef,
    ObjectRule,
    Posture,
    Rule,
    Severity,
    StackRule,
    Subject,
    Violation,
)
from policy.rules import RULES

__all__ = ["RETIRED_IDS", "RULES", "judge", "judge_object", "judge_stack", "severity_in"]

RETIRED_IDS: frozenset[str] = frozenset()
"""Ids of rules that were; they are never given to another rule."""

_STACK = ObjectRef(kind="stack", name="itself")


def judge(subjects: Iterable[Subject], context: Context, rules: tuple[Rule, ...] = RULES) -> list[Violation]:
    """Judge the objects of a stack with every rule: each object by itself, all together, and the approvals."""
    every = settled(subjects)
    court = _Court(context=context)
    for subject in every:
        court.try_object(subject, rules)
    court.try_stack(every, rules)
    court.try_approvals(rules)
    return court.violations


def judge_object(subject: Subject, context: Context, rules: tuple[Rule, ...] = RULES) -> list[Violation]:
    """Judge one object by itself: what `judge` says of it without knowing the others."""
    court = _Court(context=context)
    court.try_object(subject, rules)
    return court.violations


def judge_stack(subjects: Iterable[Subject], context: Context, rules: tuple[Rule, ...] = RULES) -> list[Violation]:
    """Judge the stack and its approvals: what `judge` says beyond what `judge_object` says of each object."""
    every = tuple(subjects)
    court = _Court(context=context)
    if context.grants.exceptions:  # only to learn which of them are used
        for subject in every:
            court.try_object(subject, rules)
        court.violations.clear()
    court.try_stack(every, rules)
    court.try_approvals(rules)
    return court.violations


def severity_in(rule: Rule, context: Context) -> Severity:
    """What a violation of `rule` does in this stack."""
    if rule.id in context.raised:
        return Severity.BLOCK
    if rule.lockdown and context.posture is Posture.OBSERVE:
        return Severity.WARN
    return rule.severity


@lru_cache(maxsize=1024)
def _object_rules(group_kind: str, rules: tuple[Rule, ...]) -> tuple[ObjectRule, ...]:
    """The rules that judge an object of this kind by itself."""
    kinds = {ANY_KIND, group_kind}
    return tuple(rule for rule in rules if isinstance(rule, ObjectRule) and not rule.applies_to.isdisjoint(kinds))


@dataclass(kw_only=True)
class _Court:
    """Collects violations while rules are applied, and remembers which exceptions were used."""

    context: Context
    violations: list[Violation] = field(default_factory=list[Violation])
    used: set[str] = field(default_factory=set[str])

    def try_object(self, subject: Subject, rules: tuple[Rule, ...]) -> None:
        for rule in _object_rules(subject.group_kind, rules):
            check = rule.check
            self._apply(rule, lambda check=check: check(subject, self.context), subject.ref, subject.origin)

    def try_stack(self, subjects: tuple[Subject, ...], rules: tuple[Rule, ...]) -> None:
        for rule in rules:
            if isinstance(rule, StackRule):
                check = rule.check
                judged = tuple(s for s in subjects if not rule.applies_to.isdisjoint({ANY_KIND, s.group_kind}))
                self._apply(rule, lambda check=check, judged=judged: check(judged, self.context), _STACK, "")

    def try_approvals(self, rules: tuple[Rule, ...]) -> None:
        used = frozenset(self.used)
        for rule in rules:
            if isinstance(rule, AuditRule):
                check = rule.check
                self._apply(rule, lambda check=check: check(used, self.context), _STACK, "")

    def _apply(self, rule: Rule, run: Callable[[], Iterable[Finding]], ref: ObjectRef, origin: str) -> None:
        try:
            findings = list(run())
        except Exception as error:  # noqa: BLE001 - a rule that fails must not let its object pass
            message = f"the rule itself failed: {type(error).__name__}: {error}"
            self._add(rule, Severity.BLOCK, Finding(path="", message=message, ref=ref, origin=origin))
            return
        severity = severity_in(rule, self.context)
        for found in findings:
            finding = found if found.ref is not None else replace(found, ref=ref, origin=origin)
            exception = exception_for(rule, finding.ref or ref, self.context)
            if exception is None:
                self._add(rule, severity, finding)
            else:
                self.used.add(exception.label)

    def _add(self, rule: Rule, severity: Severity, finding: Finding) -> None:
        self.violations.append(
            Violation(
                rule=rule,
                severity=severity,
                ref=finding.ref or _STACK,
                path=finding.path,
                message=finding.message,
                origin=finding.origin,
            )
        )
