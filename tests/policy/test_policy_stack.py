"""What the pack knows about a stack: whose approvals hold, and what of its settings rules ask for."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stack_environments import APPROVALS, SETTINGS, config_of, environment_of

from policy.registry import judge_stack
from policy.rule import Grants, Posture, Severity
from policy.stack import context_of_environment


@pytest.fixture
def approvals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of approvals that this process reads for whatever stack."""
    path = tmp_path / "dev.yaml"
    path.write_text(APPROVALS, encoding="utf-8")

    def approvals_file(_stack: str) -> Path:
        return path

    monkeypatch.setattr("policy.stack.approvals_file", approvals_file)
    monkeypatch.setenv("EGRESS_TODAY", "2026-11-01")
    return path


def test_nobody_but_the_security_team_approves_for_our_stacks(approvals: Path, tmp_path: Path) -> None:
    """Guards against a variable that puts other approvals, or none, in the place of a stack's own."""
    other = tmp_path / "other.yaml"
    other.write_text(APPROVALS.replace("legacy", "anything"), encoding="utf-8")
    for ours in (environment_of(), environment_of() | {"PULUMI_PROJECT": "shop"}):
        for file in (str(other), str(tmp_path / "no-such-file.yaml"), str(approvals), ""):
            context = context_of_environment(ours | {"EGRESS_APPROVALS": file})
            assert context.problems == (
                "the variable EGRESS_APPROVALS is set, but only policy/approvals/dev.yaml approves for this stack",
            )
            assert [granted.label for granted in context.grants.exceptions] == ["legacy"]
            [violation] = judge_stack([], replace(context, client_namespaces=frozenset(), grants=Grants()))
            assert (violation.rule.id, violation.severity) == ("EGR002", Severity.BLOCK)


def test_another_project_may_name_its_approvals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against a pack that only our own stacks can use, and against a broken file read as nothing."""
    monkeypatch.setenv("EGRESS_TODAY", "2026-11-01")
    path = tmp_path / "shop.yaml"
    path.write_text(APPROVALS, encoding="utf-8")
    shop = {"PULUMI_PROJECT": "shop", "PULUMI_STACK": "prod", "EGRESS_APPROVALS": str(path)}
    context = context_of_environment(shop)
    assert (context.problems, context.require_declarations) == ((), False)
    assert context.grants.dynamic_resolvers == {"apps/proxy"}
    path.write_text("[]", encoding="utf-8")
    assert context_of_environment(shop).problems != ()


def test_a_path_that_depends_on_where_the_pack_runs_is_refused() -> None:
    """Guards against approvals that are found in one front end and not in another."""
    context = context_of_environment({"PULUMI_PROJECT": "shop", "EGRESS_APPROVALS": "shop.yaml"})
    assert context.grants == Grants()
    [problem] = context.problems
    assert problem.startswith("the variable EGRESS_APPROVALS must hold an absolute path")


def test_rules_are_raised_by_the_approvals(approvals: Path) -> None:
    """Guards against a raised rule that still only warns, and against a misspelt one that raises nothing."""
    approvals.write_text(APPROVALS + "raisedRules: [EGR111]\n", encoding="utf-8")
    context = context_of_environment(environment_of())
    assert (context.raised, context.problems) == ({"EGR111"}, ())
    approvals.write_text(APPROVALS + "raisedRules: [EGR111, EGR999]\n", encoding="utf-8")
    [problem] = context_of_environment(environment_of()).problems
    assert problem.startswith("dev.yaml: raisedRules[1]: there is no rule EGR999; ")


def test_invalid_approvals_and_settings_block(approvals: Path) -> None:
    """Guards against reading a broken file as one that says nothing."""
    path = approvals
    for text in ("version: 1\nexceptoins: {}\n", "version: [", APPROVALS.replace("2029", "2020"), "", "[]"):
        path.write_text(text, encoding="utf-8")
        assert context_of_environment(environment_of()).problems, text
    path.unlink()
    path.mkdir()
    assert context_of_environment(environment_of()).problems, "a directory"
    path.rmdir()
    path.write_text(APPROVALS, encoding="utf-8")
    assert context_of_environment(environment_of()).problems == ()
    for bad in (
        "{",
        "[]",
        json.dumps({"cluster-egress:cluster": "{"}),
        config_of({"cluster": ["news"], "egress": {}}),
        config_of({"egress": {}}),
    ):
        assert context_of_environment(environment_of() | {"PULUMI_CONFIG": bad}).problems, bad


@pytest.mark.usefixtures("approvals")
def test_posture_and_namespaces_come_from_the_settings() -> None:
    """Guards against a lock-down rule that blocks a stack which only observes, or warns in one that enforces."""
    context = context_of_environment(environment_of(SETTINGS | {"egress": {"posture": "observe"}}))
    assert context.posture is Posture.OBSERVE
    assert (context.client_namespaces, context.namespaces) == ({"news"}, {"news", "monitoring"})
    assert context_of_environment(environment_of()).posture is Posture.ENFORCE


def test_other_projects_can_use_the_pack_as_it_is() -> None:
    """Guards against demanding our approvals and declarations from a project that has neither."""
    context = context_of_environment({"PULUMI_PROJECT": "shop", "PULUMI_STACK": "prod"})
    assert (context.problems, context.require_declarations) == ((), False)
