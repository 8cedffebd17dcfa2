"""What only the reading of Pulumi config shows: misplaced secrets, misspelt keys, a wrong day."""

from pathlib import Path

import pytest

from cli.errors import EgressError
from cli.offline.preview import preview


def _add(project: Path, text: str) -> None:
    stack = project / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(f"{stack.read_text()}{text}\n")


def _report(project: Path) -> str:
    with pytest.raises(EgressError) as refused:
        preview(project, "dev", with_policy=False)
    return str(refused.value)


def test_encrypted_values_outside_secrets_are_refused(project: Path) -> None:
    """Guards against a secret that the plan would write in the clear into an annotation or an output."""
    stack = project / "stacks" / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("owner: team-news", "owner: {secure: v1:abc}"))
    report = _report(project)
    assert "destinations: holds an encrypted value, which would be shown in the clear" in report
    assert "v1:abc" not in report


@pytest.mark.parametrize("password", ["hunter2plain", "0123456789", "!TOPSECRET", "*TOPSECRET"])
def test_plain_text_under_secrets_is_refused(project: Path, password: str) -> None:
    """Guards against a password that stays in git in the clear, and against a report that repeats it."""
    _add(project, f"  cluster-egress:secrets:\n    charts: {password}")
    report = _report(project)
    assert "stands in the clear" in report
    assert password.strip("!*") not in report


def test_a_misspelt_namespace_of_keys_is_refused(project: Path) -> None:
    """Guards against destinations that are passed over in silence because of one letter."""
    _add(project, "  cluster-egres:destinations: {}")
    assert "did you mean `cluster-egress:destinations`?" in _report(project)


def test_keys_of_other_namespaces_are_not_ours_to_judge(project: Path) -> None:
    """Guards against refusing what belongs to another provider."""
    _add(project, "  kubernetes:context: kind-dev\n  pulumi:tags: {team: a}")
    assert preview(project, "dev", with_policy=False).registrations


@pytest.mark.parametrize("value", ["tomorrow", "", "2026-13-01"])
def test_a_day_that_is_none_is_a_plain_error(project: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """Guards against a traceback, and against silently judging dates by the real day."""
    monkeypatch.setenv("EGRESS_TODAY", value)
    assert "is not a date" in _report(project)


def test_a_fixed_day_is_said(project: Path) -> None:
    """Guards against an `up` that revives expired approvals without anyone seeing it."""
    messages = preview(project, "dev", with_policy=False).messages
    assert any("EGRESS_TODAY is set" in message.text for message in messages)


def test_what_the_reader_and_what_the_settings_refuse_come_in_one_report(project: Path) -> None:
    """Guards against an operator who mends a date, and only then learns of the next mistake."""
    stack = project / "stacks" / "Pulumi.dev.yaml"
    text = stack.read_text().replace('expires: "2029-12-31"', "expires: 2029-12-31", 1)
    stack.write_text(text.replace("port: 443", "prot: 443"))
    report = _report(project)
    assert "`2029-12-31` is a date without quotes" in report
    assert "destinations.edition-cnn.ports.https.prot: unknown key `prot`" in report


def test_problems_of_included_entries_name_the_file_that_they_stand_in(project: Path) -> None:
    """Guards against a report that sends a team to a file that is not theirs, or names one of two and not the other."""
    entry = "destinations: {x: {hosts: [a.example.com], prots: {}}}"
    for name in ("a", "b"):
        (project / "stacks" / f"{name}.yaml").write_text(entry)
    _add(project, "  cluster-egress:include: [a.yaml, b.yaml]")
    report = _report(project)
    assert "stacks/b.yaml: 1 problem\n  destinations.x: is in stacks/a.yaml too" in report
    assert (
        "destinations.x.prots: unknown key `prots`" in report.partition("stacks/a.yaml: ")[2].partition("stacks/b")[0]
    )
