"""A report as SARIF 2.1.0, for code scanning and for editors."""

import hashlib
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from cli.check.checking import Found, Report
from cli.check.wording import place_in_object, printable
from policy.registry import RULES
from policy.rule import Rule, Severity

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.BLOCK: "error", Severity.WARN: "warning"}
_INDEX: Final = {rule.id: index for index, rule in enumerate(RULES)}


def report_sarif(report: Report) -> dict[str, Any]:
    """A report as plain data: one run, every rule in force, and a result for each violation."""
    seen: dict[str, int] = {}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "egress",
                        "version": version("cluster-egress"),
                        "rules": [_rule(rule) for rule in RULES],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(found, seen) for found in report.found],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    text = f"{rule.remediation[:1].upper()}{rule.remediation[1:]}."
    descriptor: dict[str, Any] = {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.why}"},
        "help": {
            "text": f"{text}\n\n{rule.example}",
            "markdown": f"{rule.why}\n\n{text}\n\n```yaml\n{rule.example}```\n\nSource: {rule.source}",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }
    # Pages of this project have no address that is known here.
    return {**descriptor, "helpUri": rule.url} if rule.url.startswith("https://") else descriptor


def _result(found: Found, seen: dict[str, int]) -> dict[str, Any]:
    violation = found.violation
    message = f"{place_in_object(found)}: {printable(violation.message)}. Instead: {violation.rule.remediation}."
    return {
        "ruleId": violation.rule.id,
        "ruleIndex": _INDEX[violation.rule.id],
        "level": _LEVELS[violation.severity],
        "message": {"text": message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(found)},
                    "region": {"startLine": found.line},
                },
                "logicalLocations": [{"fullyQualifiedName": place_in_object(found), "kind": "object"}],
            }
        ],
        "partialFingerprints": {"egressViolation/v1": _fingerprint(found, seen)},
    }


def _uri(found: Found) -> str:
    """Relative to the folder that the command runs in, where the file is below it."""
    if found.path is None:
        return quote(found.file)
    # Links are not followed: code scanning knows the file by the name that the repository has for it.
    path = Path(os.path.abspath(found.path))  # noqa: PTH100
    here = Path.cwd()
    return quote(os.fsencode(path.relative_to(here))) if path.is_relative_to(here) else path.as_uri()


def _fingerprint(found: Found, seen: dict[str, int]) -> str:
    """The same for a violation whose file or line moves; the second one alike is another."""
    violation = found.violation
    ref = violation.ref
    parts = (violation.rule.id, ref.kind, ref.namespace, ref.name, violation.path)
    text = "\n".join(parts)
    seen[text] = seen.get(text, 0) + 1
    return hashlib.sha256(f"{text}\n{seen[text]}".encode(errors="backslashreplace")).hexdigest()
