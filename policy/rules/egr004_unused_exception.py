"""EGR004: an exception that excuses nothing waits for somebody to walk through it."""

from collections.abc import Iterator

from policy.rule import AuditRule, Context, Finding, Severity


def _check(used: frozenset[str], context: Context) -> Iterator[Finding]:
    for exception in context.grants.exceptions:
        if exception.label not in used and not exception.has_expired(context.today):
            yield Finding(
                path=f"exceptions.{exception.label}",
                message=f"excuses nothing: the object does not violate {exception.rule}, is not in the stack, "
                "or the rule knows no exceptions",
                ref=exception.ref,
            )


RULE = AuditRule(
    id="EGR004",
    name="unused-exception",
    severity=Severity.WARN,
    summary="Each exception excuses something.",
    why="A left-over exception silently excuses the next object of the same name.",
    remediation="have the security team remove the exception, or correct the rule, kind, namespace or name in it",
    example="""\
# policy/approvals/prod.yaml: nothing but what is needed
exceptions: {}
""",
    url="approvals.md#ruleexception",
    source="The design of this project: unused exceptions are reported",
    exceptable=False,
    check=_check,
)
