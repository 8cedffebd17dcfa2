"""A report as one JSON object, for machines.

Version 1; keys are sorted, new keys may be added, a change of meaning raises `version`:

    version     1
    result      "clean", "blocked" (a violation blocks), "settings" or "internal" (see `error`)
    error       only with the last two: the text that a person is shown; nothing below then
    files       how many files were read
    objects     how many objects were judged, the items of lists, not the lists
    blocking    how many violations block
    warnings    how many violations are only said
    violations  list, by file and line; of each: rule (its id), name, severity ("block" or "warn"), object (kind,
                namespace, name; empty where it has none), path (the field, empty for the object as a whole), message,
                remediation, url (an address, or a page relative to docs/reference), file, line (from 1)
"""

from typing import Any, Final

from cli.check.checking import Found, Report

VERSION: Final = 1


def report_json(report: Report) -> dict[str, Any]:
    """A report as plain data in the shape above."""
    return {
        "version": VERSION,
        "result": "blocked" if report.blocking else "clean",
        "files": report.files,
        "objects": report.objects,
        "blocking": report.blocking,
        "warnings": report.warnings,
        "violations": [_violation(found) for found in report.found],
    }


def _violation(found: Found) -> dict[str, Any]:
    violation = found.violation
    ref = violation.ref
    return {
        "rule": violation.rule.id,
        "name": violation.rule.name,
        "severity": violation.severity.value,
        "object": {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name},
        "path": violation.path,
        "message": violation.message,
        "remediation": violation.rule.remediation,
        "url": violation.rule.url,
        "file": found.file,
        "line": found.line,
    }
