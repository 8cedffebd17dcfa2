"""A report for a terminal: a line for each violation, what to do about each rule, and a summary."""

from collections.abc import Iterator

from cli.check.checking import Found, Report
from cli.check.wording import place_in_object, printable, summary


def text_lines(report: Report) -> Iterator[str]:
    """The lines of the report; the last one is the summary."""
    for found in report.found:
        yield _line(found)
    rules = {found.violation.rule.id: found.violation.rule for found in report.found}
    if rules:
        yield ""
    for _, rule in sorted(rules.items()):
        yield f"{rule.id} {rule.name}: {rule.remediation}."
    if rules:
        yield ""
    yield summary(report)


def _line(found: Found) -> str:
    violation = found.violation
    rule = f"{violation.rule.id} {violation.rule.name}"
    where = found.folder or f"{found.file}:{found.line}"
    return f"{where}: {violation.severity} {rule} {place_in_object(found)}: {printable(violation.message)}"
