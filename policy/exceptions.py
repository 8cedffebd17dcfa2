"""Which exception excuses what."""

from policy.rule import Context, ObjectRef, Rule, RuleException


def exception_for(rule: Rule, ref: ObjectRef, context: Context) -> RuleException | None:
    """The exception that excuses `ref` from `rule` today, if there is one."""
    if not rule.exceptable:
        return None
    for exception in context.grants.exceptions:
        matches = exception.rule == rule.id and exception.ref == ref
        if matches and not exception.has_expired(context.today):
            return exception
    return None
