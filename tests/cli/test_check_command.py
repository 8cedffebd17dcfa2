"""The `egress check` command, as a shell sees it."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from manifests import NAMELESS, NAMESPACE, NO_OBJECT, write

from cli.app import main

ROOT = Path(__file__).resolve().parents[2]
APPROVALS = """\
version: 1
cluster:
  podCidrs: [10.244.0.0/16]
  serviceCidrs: [10.96.0.0/12]
  nodeCidrs: [192.168.0.0/24]
  apiServerAddresses: [192.168.0.10]
"""
EXCEPTION = """\
exceptions:
  legacy:
    rule: EGR105
    kind: Backend
    namespace: apps
    name: legacy
    reason: the appliance gets a certificate in the next quarter
    owner: team-legacy
    ticket: SEC-12
    expires: "2029-12-31"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the command runs in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Give the command something to read."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


def test_clean_manifests(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against words where nothing is wrong, and against a wrong exit code."""
    write(folder, {"a.yaml": NAMESPACE})
    assert main(["check", "a.yaml"]) == 0
    assert capsys.readouterr() == ("1 object, 0 violations that block, 0 warnings\n", "")


def test_violations_exit_with_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a pipeline that goes on past a violation, and against one without its place and remedy."""
    write(folder, {"a.yaml": f"{NAMESPACE}---\n{NAMELESS}", "b.yaml": NO_OBJECT})
    assert main(["check", "b.yaml", "a.yaml"]) == 2
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[:2] == [
        "b.yaml:1: block EGR001 unreadable-object object (unnamed): "
        "is no Kubernetes object: it needs an apiVersion and a kind",
        "a.yaml:11: block EGR001 unreadable-object Namespace (unnamed) metadata.name: must be text, not 5",
    ]
    assert lines[3].startswith("EGR001 unreadable-object: ")
    assert lines[-1] == "3 objects, 2 violations that block, 0 warnings"
    assert shown.err == ""


def test_folders_are_read_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against manifests that are skipped, and against files that are no manifests or are hidden away."""
    write(
        folder,
        {
            "m/b.yml": NO_OBJECT,
            "m/a/deep/c.json": '{"x": 1}',
            "m/z.yaml": NAMESPACE,
            "m/.hidden.yaml": NO_OBJECT,
            "m/.git/d.yaml": "a: [",
            "m/readme.md": "a: [",
            "elsewhere/e.yaml": NO_OBJECT,
        },
    )
    (folder / "m" / "linked").symlink_to(folder / "elsewhere")
    (folder / "m" / "a" / "up").symlink_to(folder / "m")
    assert main(["check", "m", "./m/z.yaml"]) == 2
    files = [line.split(":")[0] for line in capsys.readouterr().out.splitlines() if ": block" in line]
    assert files == ["m/.hidden.yaml", "m/a/deep/c.json", "m/b.yml", "m/linked/e.yaml"]


def test_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against `helm template | egress check -` that judges nothing."""
    stdin(monkeypatch, NAMELESS.encode())
    assert main(["check", "-"]) == 2
    assert capsys.readouterr().out.startswith("<stdin>:6: block EGR001")


def test_lists_are_judged_item_by_item(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against objects that hide in a List, and against the line of another item."""
    items = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "X", "metadata": {"name": True}}]},
    ]
    whole = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
    write(folder, {"list.json": whole})
    assert main(["check", "list.json"]) == 2
    line = next(number for number, text in enumerate(whole.splitlines(), 1) if "true" in text)
    shown = capsys.readouterr().out
    assert shown.startswith(f"list.json:{line}: block EGR001 unreadable-object X (unnamed) metadata.name: ")
    assert "\n2 objects, 1 violation that blocks, 0 warnings\n" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a file, a folder"),
        (["nope.yaml"], "  nope.yaml: No such file or directory\n"),
        ([""], "(an empty PATH): No such file or directory"),
        (["empty"], "  empty: holds no *.yaml, *.yml or *.json\n"),
        (["comment.yaml"], "  comment.yaml: holds no object\n"),
        (["items.yaml"], "  items.yaml: holds no object\n"),
        (["dead"], "  dead/x.yaml: cannot be read: No such file or directory\n"),
        (["pipe"], "  pipe/x.yaml: is no regular file\n"),
        (["-"], "  -: holds no object\n"),
        (["--format", "xml", "ok.yaml"], "egress: Invalid value for '--format': 'xml' is not one of 'text', "),
        (["--approvals", "nope.yaml", "ok.yaml"], "nope.yaml: 1 problem\n  (the whole file): there is no such file"),
        (["--corpus", "c.jsonl", "ok.yaml"], "--corpus goes with no PATH"),
        (["--corpus", "c.jsonl", "--format", "json"], "--corpus goes with no PATH"),
    ],
)
def test_wrong_usage_exits_with_1(
    arguments: list[str],
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Guards against `fine` where nothing was judged, and against exit code 2 for usage."""
    write(folder, {"ok.yaml": NAMESPACE, "comment.yaml": "# nothing\n---\n", "empty/readme.md": ""})
    write(folder, {"items.yaml": "apiVersion: v1\nkind: List\nitems: []\n", "dead/a.yaml": NAMESPACE})
    (folder / "dead" / "x.yaml").symlink_to("gone.yaml")
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "x.yaml")
    stdin(monkeypatch, b"")
    assert main(["check", *arguments]) == 1
    shown = capsys.readouterr()
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_usage_is_reported_all_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against one round for each mistake."""
    write(folder, {"a.yaml": NO_OBJECT, "empty/readme.md": ""})
    assert main(["check", "a.yaml", "nope", "empty", "nope2"]) == 1
    assert capsys.readouterr().err == (
        "Nothing was judged:\n"
        "  nope: No such file or directory\n"
        "  empty: holds no *.yaml, *.yml or *.json\n"
        "  nope2: No such file or directory\n"
    )


def test_errors_for_machines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against empty output where a program waits for JSON."""
    assert main(["check", "--format", "json", "nope"]) == 1
    shown = capsys.readouterr()
    value = json.loads(shown.out)
    assert (value["version"], value["result"], value["error"]) == (1, "settings", shown.err.strip())


def test_approvals_apply_and_are_judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against approvals that are not read, and against a finding about them without its line."""
    write(folder, {"a.yaml": NAMESPACE, "approvals.yaml": f"{APPROVALS}{EXCEPTION}"})
    assert main(["check", "--approvals", "approvals.yaml", "a.yaml"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("approvals.yaml:8: warn EGR004 unused-exception Backend apps/legacy exceptions.legacy: ")
    assert shown.endswith("1 object, 0 violations that block, 1 warning\n")


def test_a_raised_rule_blocks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a severity that the security team raised in vain."""
    write(folder, {"a.yaml": NAMESPACE, "approvals.yaml": f"{APPROVALS}raisedRules: [EGR004]\n{EXCEPTION}"})
    assert main(["check", "--approvals", "approvals.yaml", "a.yaml"]) == 2
    assert ": block EGR004" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (f"{APPROVALS}raisedRules: [EGR999]\n", ["approvals.yaml: 1 problem", "there is no rule EGR999"]),
        ("version: 1\ncluster: {podCidrs: []}\nx: 1\n", ["unknown key `x`", "cluster.podCidrs", "cluster.nodeCidrs"]),
        (APPROVALS + EXCEPTION.replace("12-31", "12-32"), ["exceptions.legacy.expires"]),
        (APPROVALS + EXCEPTION.replace("EGR105", "EGR101"), ["exceptions.legacy.rule", "EGR101 knows no exceptions"]),
        (APPROVALS + EXCEPTION.replace("EGR105", "EGR195"), ["exceptions.legacy.rule", "there is no rule EGR195"]),
        ("a: [", ["is not YAML"]),
    ],
)
def test_bad_approvals_exit_with_1(
    text: str, messages: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against approvals that cannot be read and yet approve, or block without the whole report."""
    write(folder, {"a.yaml": NAMESPACE, "approvals.yaml": text})
    assert main(["check", "--approvals", "approvals.yaml", "a.yaml"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("approvals.yaml: ")
    assert [message for message in messages if message not in shown] == []


def test_an_expired_exception_is_told_at_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against an exception that is over and still excuses, or that takes all other approvals with it."""
    text = APPROVALS + EXCEPTION.replace("2029", "2020")
    write(folder, {"a.yaml": NAMESPACE, "approvals.yaml": text})
    assert main(["check", "--approvals", "approvals.yaml", "a.yaml"]) == 2
    line = text.splitlines().index('    expires: "2020-12-31"') + 1
    assert f"approvals.yaml:{line}: block EGR003 expired-exception" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["text", "json", "sarif", "github"])
def test_nothing_secret_is_shown(output: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against a Secret's values in a log or in code scanning, whatever is wrong with the Secret."""
    head = "apiVersion: v1\nkind: Secret\nmetadata: {name: 5}\n"
    write(
        folder,
        {
            "wrong-type.yaml": f"{head}data: hunter2\nstringData: [hunter2]\n",
            "twice.yaml": f"{head}stringData:\n  a: hunter2\n  a: hunter2\n",
            "tag.yaml": f"{head}stringData:\n  a: !hunter2 x\n",
            "alias.yaml": f"{head}stringData:\n  a: *hunter2\n",
            "syntax.yaml": f"{head}stringData:\n  a: 'hunter2\n",
            "directive.yaml": f"%hunter2\n{head}",
            "unclosed.yaml": f"{head}stringData: {{a: hunter2\n",
            "plain.yaml": f"{head}stringData:\n  a: %hunter2\n  b: @hunter2\n",
            "no-kind.yaml": "stringData: {a: hunter2}\n",
            "json.json": '{"kind": "Secret", "stringData": {"a": "hunter2", "a": "hunter2"}}',
        },
    )
    assert main(["check", "--format", output, "."]) == 2
    shown = capsys.readouterr()
    assert "hunter2" not in shown.out + shown.err


def test_names_cannot_forge_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against an object whose name clears the terminal or writes a workflow command of its own."""
    name = "x\n::warning::forged\x1b[2J%0A\u202e"
    write(folder, {"a.json": json.dumps({"kind": "Namespace", "apiVersion": "", "metadata": {"name": name}})})
    for output in ("text", "github"):
        assert main(["check", "--format", output, "a.json"]) == 2
        shown = capsys.readouterr().out
        assert not any(line.startswith("::warning") for line in shown.splitlines())
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_a_reader_that_stops_early_is_no_error(folder: Path) -> None:
    """Guards against a traceback in `egress check . | head -1`, and against a lost exit code."""
    write(folder, {"a.yaml": "---\n".join([NAMELESS] * 3_000)})
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "check", str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == 2


def test_a_closed_standard_input_is_not_fine(folder: Path) -> None:
    """Guards against a crash, or a `fine`, where the shell gives no standard input."""
    command = f"{sys.executable} -m cli check - <&-"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "holds no object" in done.stderr
