"""One run of a program, recorded as the engine would know it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_projects import PROVIDER, MakeProject

from cli.errors import ProgramDefectError, ProgramError
from cli.offline.preview import Preview, preview
from cli.offline.records import Registration, Secret, Unknown

URN = "urn:pulumi:dev::cluster-egress::"


def run(project: Path) -> Preview:
    """A preview without a pack."""
    return preview(project, "dev", with_policy=False)


def by_name(result: Preview, type_: str) -> Registration:
    """The only registration of a type."""
    (found,) = [registration for registration in result.registrations if registration.type == type_]
    return found


def test_urns_are_those_of_the_engine(make_project: MakeProject, layers: str) -> None:
    """Guards against the SDK's mock, which drops types from the third level on: policies compare URNs."""
    result = run(make_project(layers))
    assert {registration.urn.removeprefix(URN) for registration in result.registrations} == {
        "pulumi:pulumi:Stack::cluster-egress-dev",
        "pulumi:providers:kubernetes::cluster",
        "egress:test:Outer::outer",
        "egress:test:Outer$egress:test:Inner::inner",
        "egress:test:Outer$egress:test:Inner$kubernetes:core/v1:Namespace::inner",
        "egress:test:Outer$egress:test:Inner$kubernetes:core/v1:Secret::inner",
        "egress:test:Outer$kubernetes:networking.istio.io/v1:ServiceEntry::rule",
        "kubernetes:core/v1:NamespacePatch::news",
        "kubernetes:helm.sh/v3:Release::base",
    }


def test_options_are_recorded(make_project: MakeProject, layers: str) -> None:
    """Guards against losing what the stock mock loses: parent, provider, dependencies, protect, aliases."""
    result = run(make_project(layers))
    rule = by_name(result, "kubernetes:networking.istio.io/v1:ServiceEntry")
    namespace = by_name(result, "kubernetes:core/v1:Namespace").urn
    assert rule.parent == f"{URN}egress:test:Outer::outer"
    assert rule.provider == f"{URN}pulumi:providers:kubernetes::cluster"
    assert namespace in rule.dependencies
    assert rule.property_dependencies == {"metadata": (namespace,)}
    assert rule.protect
    assert rule.aliases == (f"{URN}egress:test:Outer$kubernetes:networking.istio.io/v1:ServiceEntry::old-rule",)
    assert rule.custom_timeouts == {"create": "1m30s"}
    provider = by_name(result, "pulumi:providers:kubernetes")
    assert provider.inputs == {"context": "nowhere", "version": provider.version}


def test_ids_stay_unknown_and_secrets_are_replaced(make_project: MakeProject, layers: str) -> None:
    """Guards against invented identifiers, which a rule would judge, and against secrets in recorded data."""
    result = run(make_project(layers))
    assert isinstance(result.outputs["uid"], Unknown)
    assert result.outputs["cluster"] == "test"
    assert result.outputs["handoff"]["open"] == "shown"
    assert isinstance(result.outputs["handoff"]["token"], Secret)
    assert isinstance(by_name(result, "kubernetes:core/v1:Secret").inputs["stringData"], Secret)
    inner = by_name(result, "egress:test:Inner").outputs
    assert inner["namespace"] == "inner"
    assert isinstance(inner["token"], Secret)
    assert "hunter2" not in repr(result)


def test_repeated_runs_are_equal_and_leave_nothing_behind(make_project: MakeProject, layers: str) -> None:
    """Guards against state of the SDK that makes a second run in one process fail or differ."""
    project = make_project(layers)
    before = (Path.cwd(), list(sys.path), list(sys.argv), sys.modules["__main__"])
    first = run(project)
    with pytest.raises(ProgramError):
        run(make_project("import pulumi\nraise pulumi.RunError('no')\n", name="failing"))
    assert run(project) == first
    assert (Path.cwd(), list(sys.path), list(sys.argv), sys.modules["__main__"]) == before


def test_the_order_is_the_same_in_every_process(make_project: MakeProject, layers: str) -> None:
    """Guards against an order of registration that depends on threads or hashes: outputs must be comparable."""
    project = make_project(layers)
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "cli", "preview", "dev", "--json", "--project", str(project)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=False,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def test_a_project_imports_its_own_modules(make_project: MakeProject) -> None:
    """Guards against a copy of the repository whose changes a preview would not see."""
    import components

    for name, value in (("one", 1), ("two", 2)):
        project = make_project("import pulumi\nfrom components.here import n\npulumi.export('n', n)\n", name=name)
        (project / "components").mkdir()
        (project / "components" / "__init__.py").write_text("")
        (project / "components" / "here.py").write_text(f"n = {value}\n")
        assert run(project).outputs == {"n": value}
    assert sys.modules["components"] is components


def test_a_run_error_is_the_programs_report(make_project: MakeProject) -> None:
    """Guards against a traceback where the settings are bad."""
    with pytest.raises(ProgramError, match=r"^two\nlines$"):
        run(make_project("import pulumi\nraise pulumi.RunError('two\\nlines')\n"))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise KeyError('x')\n", r"the program failed: KeyError: 'x' \(__main__.py:1\)"),
        ("def f(:\n", "the program failed: SyntaxError"),
        ("import sys\nsys.exit(4)\n", "the program failed: SystemExit: 4"),
        ("import nowhere\n", "the program failed: ModuleNotFoundError"),
        (
            "import pulumi\npulumi.ComponentResource('a:b:C', 'x')\npulumi.ComponentResource('a:b:C', 'x')\n",
            f"two resources have the URN {URN}a:b:C::x",
        ),
        (
            PROVIDER + "kubernetes.core.v1.Namespace('x', metadata={'name': 'x'})\n",
            "kubernetes:core/v1:Namespace::x has no provider",
        ),
        (
            "import pulumi\npulumi.export('x', pulumi.runtime.invoke('a:b:c', {}).value)\n",
            "the program calls the function `a:b:c`",
        ),
        (
            PROVIDER + "kubernetes.core.v1.Namespace.get('x', 'id', opts=on_cluster)\n",
            "the program reads kubernetes:core/v1:Namespace `x` from outside",
        ),
        (
            "import pulumi\npulumi.StackReference('other')\n",
            "the program reads pulumi:pulumi:StackReference `other` from outside",
        ),
        (
            PROVIDER + "kubernetes.helm.v4.Chart('x', chart='c', opts=on_cluster)\n",
            "is a component that a provider expands",
        ),
        (
            "import pulumi\npulumi.export('x', pulumi.Output.from_input(1).apply(lambda n: n / 0))\n",
            "the program failed: ZeroDivisionError",
        ),
    ],
)
def test_what_no_preview_can_go_on_from_is_a_defect(make_project: MakeProject, program: str, message: str) -> None:
    """Guards against previews that quietly differ from the engine's, and against hanging or unclear failures."""
    with pytest.raises(ProgramDefectError, match=message):
        run(make_project(program))


def test_log_messages_are_kept(make_project: MakeProject, layers: str) -> None:
    """Guards against warnings of the program that nobody sees offline."""
    assert [(m.severity, m.text) for m in run(make_project(layers)).messages] == [("warning", "mind the gap")]


def test_settings_that_the_engine_cannot_pass_on_are_told(make_project: MakeProject) -> None:
    """Guards against a stack that previews offline and fails under `pulumi` with `argument list too long`."""
    (message,) = run(make_project("", stack=f"config:\n  a: {'x' * 140_000}\n")).messages
    assert message.severity == "warning"
    assert "argument list too long" in message.text
