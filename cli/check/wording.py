"""The words that all formats share."""

from typing import Final

from cli.check.checking import Found, Report

_LONGEST: Final = 500
"""Characters of a name, a path or a message; only hostile ones are longer."""


def printable(text: str) -> str:
    """`text` on one line, without characters that a terminal would act on."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def place_in_object(found: Found) -> str:
    """The object, and the field where there is one: `Backend apps/n9e spec.endpoints[0].ip.address`."""
    violation = found.violation
    return " ".join(printable(part) for part in (f"{violation.ref}", violation.path) if part != "")


def summary(report: Report) -> str:
    """The last line of a report for people."""
    blocking = f"{_count(report.blocking, 'violation')} that {'blocks' if report.blocking == 1 else 'block'}"
    return f"{_count(report.objects, 'object')}, {blocking}, {_count(report.warnings, 'warning')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
