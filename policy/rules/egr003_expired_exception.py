"""EGR003: an exception that has run out excuses nothing, and whoever relies on it must hear of it."""

from collections.abc import Iterator

from policy.rule import AuditRule, Context, Finding, Severity


def _check(_used: frozenset[str], context: Context) -> Iterator[Finding]:
    for exception in context.grants.exceptions:
        if exception.has_expired(context.today):
            yield Finding(
                path=f"exceptions.{exception.label}.expires",
                message=f"the exception from {exception.rule} expired on {exception.expires.isoformat()} "
                f"(owner {exception.owner}, ticket {exception.ticket})",
                ref=exception.ref,
            )


RULE = AuditRule(
    id="EGR003",
    name="expired-exception",
    severity=Severity.BLOCK,
    summary="Exceptions end on the day they name.",
    why="An exception that outlives its end is a rule that was switched off without anybody deciding so.",
    remediation="mend the object and remove the exception, or have the security team renew it with a new date",
    example="""\
# policy/approvals/prod.yaml
exceptions:
  legacy-tls:
    rule: EGR105
    kind: Backend
    namespace: apps
    name: legacy
    owner: team-legacy
    ticket: SEC-12
    reason: the appliance gets a certificate in the next quarter
    expires: "2029-12-31"
""",
    url="approvals.md#ruleexception",
    source="The design of this project: exceptions are data, and expired ones fail",
    exceptable=False,
    check=_check,
)
