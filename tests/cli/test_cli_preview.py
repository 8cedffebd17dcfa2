"""The `egress preview` command, as a shell sees it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_projects import PROVIDER, MakeProject

from cli.app import main

ROOT = Path(__file__).resolve().parents[2]
SECRETS = (b"hunter2-in-the-program", b"v1:c2FsdA==:ciphertext", b"ciphertext")


def egress(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )


def bad(levels: str, make_project: MakeProject) -> Path:
    """A project that its policy blocks."""
    program = PROVIDER + (
        "kubernetes.core.v1.Namespace('x', metadata={'name': 'x', 'labels': {'verdict': 'bad'}}, opts=on_cluster)\n"
    )
    return make_project(program, pack=levels)


def test_a_clean_preview(make_project: MakeProject, layers: str, levels: str) -> None:
    """Guards against an output that lacks one of its parts, and against a wrong exit code."""
    done = egress("preview", "dev", "--project", make_project(layers, pack=levels))
    text = done.stdout.decode()
    assert done.returncode == 0
    assert done.stderr == b""
    assert text.startswith("cluster-egress, stack dev: 8 resources\n")
    assert "│  │  └─ inner  kubernetes:core/v1:Secret\n" in text
    assert "rule  kubernetes:networking.istio.io/v1:ServiceEntry  protected\n" in text
    assert "  1  kubernetes:core/v1:NamespacePatch\n" in text
    assert "Policy levels 1.2.3: 0 blocking, 1 advisory (3 policies asked)\n" in text
    assert '  uid: "[unknown]"\n' in text
    assert "  warning: mind the gap\n" in text


def test_piped_output_is_plain_and_stable(make_project: MakeProject, layers: str, levels: str) -> None:
    """Guards against escape sequences and line breaks of a terminal in what is compared or searched."""
    project = make_project(layers, pack=levels)
    first = egress("preview", "dev", "--project", project, COLUMNS="20", TERM="xterm-256color")
    second = egress("preview", "dev", "--project", project, FORCE_COLOR="1")
    assert b"\x1b" not in first.stdout
    assert first.stdout == second.stdout


def test_a_terminal_gets_colours_and_progress(make_project: MakeProject, layers: str, levels: str) -> None:
    """Guards against a plain terminal because of a wrong test for one."""
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "cli", "preview", "dev", "--project", str(make_project(layers, pack=levels))]
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen(
        command, cwd=ROOT, env={**environment, "TERM": "xterm-256color"}, stdout=secondary, stderr=secondary
    )
    os.close(secondary)
    written = b""
    try:
        while chunk := os.read(primary, 65_536):
            written += chunk
    except OSError:
        pass  # Linux reports the end of a pseudo-terminal as an error.
    os.close(primary)
    assert process.wait() == 0
    assert b"\x1b[" in written
    assert b"Asking the policy pack" in written
    assert not any(secret in written for secret in SECRETS)


def test_secrets_are_in_no_output(make_project: MakeProject, layers: str, levels: str, tmp_path: Path) -> None:
    """Guards against secrets in any byte of what the command writes."""
    project = make_project(layers, pack=levels)
    target = tmp_path / "manifests"
    tree = egress("preview", "dev", "--project", project, "--manifests", target)
    machine = egress("preview", "dev", "--project", project, "--json")
    written = [tree.stdout, tree.stderr, machine.stdout, machine.stderr]
    written += [path.read_bytes() for path in target.rglob("*") if path.is_file()]
    assert len(written) > 8
    for content in written:
        assert not any(secret in content for secret in SECRETS)
    assert b"`stringData` is a secret, not written" in tree.stdout


def test_violations_are_shown_and_exit_with_2(
    make_project: MakeProject, levels: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against a pipeline that goes on past a violation, and against a report without the rule's words."""
    assert main(["preview", "dev", "--project", str(bad(levels, make_project))]) == 2
    shown = capsys.readouterr()
    assert "1 blocking, 1 advisory" in shown.out
    assert "  blocking  blocks\n    urn:pulumi:dev::cluster-egress::kubernetes:core/v1:Namespace::x\n" in shown.out
    assert "    Bad is not allowed.\n    x is bad" in shown.out
    assert shown.err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preview", "deb"], "did you mean `dev`?"),
        (["preview"], "Missing argument"),
        (["preview", "dev", "--jsn"], "No such option"),
        (["previw", "dev"], "No such command"),
        ([], "Missing command"),
        (["preview", "dev", "--project", "/nonexistent"], "no Pulumi.yaml in /nonexistent"),
        (["preview", "dev", "--manifests", "/etc"], "holds what this command did not write"),
    ],
)
def test_wrong_usage_exits_with_1(
    arguments: list[str],
    message: str,
    make_project: MakeProject,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Guards against exit code 2 for usage, which here means that a policy blocks."""
    monkeypatch.chdir(make_project())
    assert main(arguments) == 1
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_bad_settings_are_reported_with_lines(make_project: MakeProject) -> None:
    """Guards against a report that cannot be clicked on, a traceback, or a wrong exit code."""
    report = "stacks/Pulumi.dev.yaml: 1 problem\\n  cluster.name: `test` is taken\\n    instead: another"
    project = make_project(f"import pulumi\nraise pulumi.RunError('{report}')\n")
    (project / "policy").mkdir()
    (project / "policy" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (project / "policy" / "__main__.py").write_text("import time\ntime.sleep(600)\n")
    done = egress("preview", "dev", "--project", project)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode() == (
        "stacks/Pulumi.dev.yaml: 1 problem\n"
        "  stacks/Pulumi.dev.yaml:2: cluster.name: `test` is taken\n"
        "    instead: another\n"
    )


def test_a_defect_exits_with_3_and_tells_how_to_see_more(make_project: MakeProject, levels: str) -> None:
    """Guards against tracebacks for operators, and against developers who get none."""
    project = make_project("raise KeyError('x')\n", pack=levels)
    short = egress("preview", "dev", "--project", project)
    assert short.returncode == 3
    assert b"the program failed: KeyError: 'x' (__main__.py:1)" in short.stderr
    assert b"EGRESS_DEBUG=1" in short.stderr
    assert b"Traceback" not in short.stderr
    full = egress("preview", "dev", "--project", project, EGRESS_DEBUG="1")
    assert full.returncode == 3
    assert b"Traceback" in full.stderr


def test_the_shape_for_machines(make_project: MakeProject, layers: str, levels: str) -> None:
    """Guards against a change of the documented shape without a new version."""
    done = egress("preview", "dev", "--project", make_project(layers, pack=levels), "--json")
    value = json.loads(done.stdout)
    assert done.stdout.decode() == json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert value["version"] == 1
    assert value["result"] == "clean"
    keys = "counts manifests messages outputs policy project resources result stack version"
    assert sorted(value) == keys.split()
    assert sorted(value["policy"]) == ["pack", "policies", "version", "violations"]
    resource_keys = """
        additionalSecretOutputs aliases custom customTimeouts deleteBeforeReplace deletedWith dependencies
        ignoreChanges importId inputs name parent propertyDependencies protect provider replaceOnChanges
        retainOnDelete type urn version
        """.split()  # noqa: SIM905 a list of this length is read as words
    assert sorted(value["resources"][1]) == resource_keys
    assert sorted(value["resources"][0]) == sorted([*resource_keys, "outputs"])
    assert value["outputs"]["uid"] == "[unknown]"
    assert value["counts"]["kubernetes:core/v1:NamespacePatch"] == 1


def test_errors_for_machines(make_project: MakeProject) -> None:
    """Guards against empty output where a program waits for JSON."""
    done = egress("preview", "no", "--project", make_project(), "--json")
    value = json.loads(done.stdout)
    assert (value["version"], value["result"], done.returncode) == (1, "settings", 1)
    assert value["error"] == done.stderr.decode().strip()


def test_help_loads_nothing_heavy() -> None:
    """Guards against an import of the SDK at start-up, which everybody waits for who only asks for help."""
    assert egress("--help").returncode == 0
    check = "import cli.app, sys; sys.exit(any(m in sys.modules for m in ('pulumi', 'grpc', 'yaml', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0


def test_a_reader_that_stops_early_is_no_error(make_project: MakeProject, levels: str) -> None:
    """Guards against a traceback in `egress preview dev | head -1`, and against a lost exit code."""
    command = [sys.executable, "-m", "cli", "preview", "dev", "--project", str(bad(levels, make_project))]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == 2


def test_interrupting_ends_everything(make_project: MakeProject, levels: str) -> None:
    """Guards against Ctrl-C that prints a traceback, hangs, or leaves the pack running."""
    project = make_project(
        "import time\nopen('started', 'w').close()\ntime.sleep(600)\n",
        pack=f"import os\nopen('pid', 'w').write(str(os.getpid()))\n{levels}",
    )
    command = [sys.executable, "-m", "cli", "preview", "dev", "--project", str(project)]
    # Whoever runs these tests in the background may have them ignore the signal, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    signal.signal(signal.SIGINT, before)
    pid = project / "policy" / "pid"
    deadline = time.monotonic() + 30
    while not ((project / "started").exists() and pid.exists() and pid.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
