"""What `egress check` prints for machines: JSON, SARIF 2.1.0, GitHub's workflow commands."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from manifests import NAMELESS, NAMESPACE, NO_OBJECT, write

from cli.app import main
from cli.check.as_github import github_lines
from cli.check.as_sarif import report_sarif
from cli.check.as_text import text_lines
from cli.check.checking import Found, Report
from policy.registry import RULES
from policy.rule import ObjectRef, Severity, Violation

RULE = RULES[0]
FOUND = Found(
    violation=Violation(
        rule=RULE,
        severity=Severity.BLOCK,
        ref=ObjectRef(kind="Backend", namespace="apps", name="n9e"),
        path="spec.type",
        message="is 100% wrong: a, b",
        origin="x",
    ),
    file="m/a, b: 50%.yaml",
    path=Path("m/a, b: 50%.yaml"),
    line=7,
)
WARNED = replace(FOUND, violation=replace(FOUND.violation, severity=Severity.WARN), line=8)
REPORT = Report(files=1, objects=2, found=(FOUND, WARNED))
TEXT = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1}}, "required": ["text"]}
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "type": "object",
            "required": ["tool", "results"],
            "additionalProperties": False,
            "properties": {
                "tool": {
                    "type": "object",
                    "required": ["driver"],
                    "additionalProperties": False,
                    "properties": {"driver": {"$ref": "#/$defs/driver"}},
                },
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "driver": {
            "type": "object",
            "required": ["name", "version", "rules"],
            "additionalProperties": False,
            "properties": {
                "name": {"const": "egress"},
                "version": {"type": "string", "minLength": 1},
                "rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/rule"}},
            },
        },
        "rule": {
            "type": "object",
            "required": ["id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string", "pattern": "^EGR[0-9]{3}$"},
                "name": {"type": "string", "minLength": 1},
                "shortDescription": TEXT | {"additionalProperties": False},
                "fullDescription": TEXT | {"additionalProperties": False},
                "help": {
                    "type": "object",
                    "required": ["text", "markdown"],
                    "additionalProperties": False,
                    "properties": {"text": {"type": "string"}, "markdown": {"type": "string"}},
                },
                "helpUri": {"type": "string", "pattern": "^https://"},
                "defaultConfiguration": {
                    "type": "object",
                    "required": ["level"],
                    "additionalProperties": False,
                    "properties": {"level": {"enum": ["error", "warning"]}},
                },
            },
        },
        "result": {
            "type": "object",
            "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"enum": ["error", "warning"]},
                "message": TEXT | {"additionalProperties": False},
                "locations": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"$ref": "#/$defs/location"}},
                "partialFingerprints": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                },
            },
        },
        "location": {
            "type": "object",
            "required": ["physicalLocation"],
            "additionalProperties": False,
            "properties": {
                "physicalLocation": {
                    "type": "object",
                    "required": ["artifactLocation", "region"],
                    "additionalProperties": False,
                    "properties": {
                        "artifactLocation": {
                            "type": "object",
                            "required": ["uri"],
                            "additionalProperties": False,
                            "properties": {"uri": {"type": "string", "pattern": "^(file:///)?[A-Za-z0-9._~/%-]+$"}},
                        },
                        "region": {
                            "type": "object",
                            "required": ["startLine"],
                            "additionalProperties": False,
                            "properties": {"startLine": {"type": "integer", "minimum": 1}},
                        },
                    },
                },
                "logicalLocations": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"fullyQualifiedName": {"type": "string"}, "kind": {"type": "string"}},
                    },
                },
            },
        },
    },
}
"""The part of the official schema (sarif-schema-2.1.0.json, errata 01) that is used, and what code scanning needs."""


def validate(value: object) -> None:
    """Raise where `value` is no SARIF."""
    validator: Any = jsonschema.Draft202012Validator(SARIF)
    validator.validate(value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a clean object and two violations, that the command runs in."""
    monkeypatch.chdir(tmp_path)
    return write(tmp_path, {"m/a.yaml": NAMESPACE, "m/b.yaml": NAMELESS, "m/c d.yaml": NO_OBJECT})


def test_the_shape_for_machines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a change of the documented shape without a new version."""
    assert main(["check", "--format", "json", "m"]) == 2
    shown = capsys.readouterr().out
    value = json.loads(shown)
    assert shown == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    counts = {key: value[key] for key in value if key != "violations"}
    assert counts == {"version": 1, "result": "blocked", "files": 3, "objects": 3, "blocking": 2, "warnings": 0}
    assert value["violations"][0] == {
        "rule": "EGR001",
        "name": "unreadable-object",
        "severity": "block",
        "object": {"kind": "Namespace", "namespace": "", "name": ""},
        "path": "metadata.name",
        "message": "must be text, not 5",
        "remediation": RULE.remediation,
        "url": RULE.url,
        "file": "m/b.yaml",
        "line": 6,
    }


def test_clean_for_machines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a clean result that programs cannot tell."""
    assert main(["check", "--format", "json", "m/a.yaml"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert (value["result"], value["violations"]) == ("clean", [])


def test_sarif_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a file that code scanning refuses."""
    assert main(["check", "--format", "sarif", "m"]) == 2
    value = json.loads(capsys.readouterr().out)
    validate(value)
    (run,) = value["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["EGR001", "EGR001"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [place["artifactLocation"]["uri"] for place in places] == ["m/b.yaml", "m/c%20d.yaml"]
    assert [place["region"]["startLine"] for place in places] == [6, 1]


def test_sarif_without_results_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against alerts that stay open because nothing says that they are gone."""
    assert main(["check", "--format", "sarif", "m/a.yaml"]) == 0
    value = json.loads(capsys.readouterr().out)
    validate(value)
    assert value["runs"][0]["results"] == []


def test_levels_follow_what_a_violation_does() -> None:
    """Guards against a raised rule that shows as a warning, and a warning that shows as an error."""
    results = report_sarif(REPORT)["runs"][0]["results"]
    assert [result["level"] for result in results] == ["error", "warning"]
    assert [line.split(" ")[0] for line in github_lines(REPORT)][:2] == ["::error", "::warning"]


def test_fingerprints_survive_a_move_and_tell_twins_apart() -> None:
    """Guards against alerts that are closed and opened anew when a file changes above them."""

    def prints(*found: Found) -> list[str]:
        results = report_sarif(Report(files=1, objects=1, found=found))["runs"][0]["results"]
        return [result["partialFingerprints"]["egressViolation/v1"] for result in results]

    moved = replace(FOUND, line=99, file="other.yaml", path=Path("other.yaml"))
    other = replace(FOUND, violation=replace(FOUND.violation, path="spec.other"))
    assert prints(FOUND) == prints(moved)
    assert len(set(prints(FOUND, moved, other))) == 3


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (Path("m/a.yaml"), "m/a.yaml"),
        (Path("../m/a.yaml"), "file://{above}/m/a.yaml"),
        (Path("m/../a b.yaml"), "a%20b.yaml"),
        (Path("m/é#?.yaml"), "m/%C3%A9%23%3F.yaml"),
        (Path("a:b.yaml"), "a%3Ab.yaml"),
        (None, "%3Cstdin%3E"),
    ],
)
def test_addresses_of_files(path: Path | None, uri: str, folder: Path) -> None:
    """Guards against names that are no address, and files outside the folder that look as if they were in it."""
    found = replace(FOUND, path=path, file="<stdin>" if path is None else f"{path}")
    result = report_sarif(Report(files=1, objects=1, found=(found,)))["runs"][0]["results"][0]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == uri.format(above=folder.parent)


def test_github_annotations() -> None:
    """Guards against an annotation that GitHub drops or cuts off, and against a command that a name could forge."""
    assert list(github_lines(REPORT)) == [
        "::error file=m/a%2C b%3A 50%25.yaml,line=7,title=EGR001 unreadable-object::"
        f"Backend apps/n9e spec.type: is 100%25 wrong: a, b. Instead: {RULE.remediation}.",
        "::warning file=m/a%2C b%3A 50%25.yaml,line=8,title=EGR001 unreadable-object::"
        f"Backend apps/n9e spec.type: is 100%25 wrong: a, b. Instead: {RULE.remediation}.",
        "2 objects, 1 violation that blocks, 1 warning",
    ]


def test_text_tells_each_remedy_once() -> None:
    """Guards against a remedy for each of a thousand violations, and against none."""
    lines = list(text_lines(REPORT))
    assert lines == [
        "m/a, b: 50%.yaml:7: block EGR001 unreadable-object Backend apps/n9e spec.type: is 100% wrong: a, b",
        "m/a, b: 50%.yaml:8: warn EGR001 unreadable-object Backend apps/n9e spec.type: is 100% wrong: a, b",
        "",
        f"EGR001 unreadable-object: {RULE.remediation}.",
        "",
        "2 objects, 1 violation that blocks, 1 warning",
    ]


def test_hostile_names_are_cut() -> None:
    """Guards against a report of gigabytes and against control characters, in every format for people."""
    violation = replace(
        FOUND.violation, ref=ObjectRef(kind="K" * 1_000_000, name="a\n\x1b[2J\ud800"), message="x\r\n" * 500_000
    )
    report = replace(REPORT, found=(replace(FOUND, violation=violation),))
    for lines in (text_lines(report), github_lines(report)):
        text = "\n".join(lines)
        assert len(text) < 10_000
        assert re.search(r"[\x00-\x09\x0b-\x1f]", text) is None
        text.encode()
