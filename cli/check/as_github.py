"""A report as GitHub workflow commands: annotations at the lines of a pull request, and the summary in the log."""

from collections.abc import Iterator

from cli.check.checking import Found, Report
from cli.check.wording import place_in_object, printable, summary


def github_lines(report: Report) -> Iterator[str]:
    """The lines of the report; the last one is the summary."""
    for found in report.found:
        yield _command(found)
    yield summary(report)


def _command(found: Found) -> str:
    violation = found.violation
    title = f"{violation.rule.id} {violation.rule.name}"
    message = f"{place_in_object(found)}: {printable(violation.message)}. Instead: {violation.rule.remediation}."
    place = f"file={_property(found.file)},line={found.line},title={_property(title)}"
    return f"::{'error' if found.blocks else 'warning'} {place}::{_data(message)}"


def _data(text: str) -> str:
    """Escaped as actions/toolkit does (packages/core/src/command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
