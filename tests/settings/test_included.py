"""Files that a stack file includes."""

from pathlib import Path
from typing import Any

import pytest

from components.settings.included import gather

_ENTRY: dict[str, Any] = {"hosts": ["a.example.com"]}


def _folder(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "stacks"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_entries_of_included_files_join_those_of_the_stack_file(tmp_path: Path) -> None:
    """Guards against an included destination that no layer gets to see."""
    folder = _folder(tmp_path, more="destinations: {b: {hosts: [b.example.com]}}\nbackends: {c: {hostnames: [c.d.e]}}")
    gathered = gather({"include": ["more.yaml"], "destinations": {"a": _ENTRY}}, folder=folder)
    assert gathered.problems == []
    assert gathered.values["destinations"] == {"a": _ENTRY, "b": {"hosts": ["b.example.com"]}}
    assert gathered.values["backends"] == {"c": {"hostnames": ["c.d.e"]}}
    assert gathered.origins == {("destinations", "b"): "stacks/more.yaml", ("backends", "c"): "stacks/more.yaml"}


@pytest.mark.parametrize(
    ("text", "path", "wrong"),
    [
        ("destinations: {a: {}}", ("destinations", "a"), "is in the stack file too"),
        ("destination: {}", ("destination",), "unknown key `destination`"),
        ("destinations: {}", ("destinations",), "holds no entries"),
        ("destinations: [a]", ("destinations",), "holds no entries"),
        ("- a", (), "is not a map"),
        ("", (), "is not a map"),
        ("destinations: {b: {}, b: {}}", ("destinations", "b"), "is written twice, so one of them is not read"),
    ],
)
def test_wrong_included_files_are_reported_under_their_own_name(
    tmp_path: Path, text: str, path: tuple[str, ...], wrong: str
) -> None:
    """Guards against an entry that is lost, taken twice, or blamed on the stack file."""
    gathered = gather({"include": ["more.yaml"], "destinations": {"a": _ENTRY}}, folder=_folder(tmp_path, more=text))
    assert [(p.file, p.path, p.wrong) for p in gathered.problems] == [("stacks/more.yaml", path, wrong)]
    assert gathered.values["destinations"]["a"] == _ENTRY


@pytest.mark.parametrize("text", ["destinations: {", "a: b: c"])
def test_an_included_file_that_is_not_yaml_is_reported(tmp_path: Path, text: str) -> None:
    """Guards against a traceback, and against entries that silently do not exist."""
    gathered = gather({"include": ["more.yaml"]}, folder=_folder(tmp_path, more=text))
    assert len(gathered.problems) == 1
    assert gathered.problems[0].wrong.startswith("is not YAML")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("destinations: &a {x: *a}", "has an anchor or alias in line 1"),
        ("destinations: {x: !foo y}", "has a tag in line 1"),
        ("1: 4", "has a key that is not text, in line 1"),
        ("destinations: {[a, b]: {}}", "has a key that is not text, in line 1"),
        ("destinations: {x: {hosts: {secure: TOPSECRET}}}", "holds a secret"),
    ],
)
def test_what_no_file_of_ours_needs_is_refused_and_never_shown(tmp_path: Path, text: str, wrong: str) -> None:
    """Guards against aliases that stand for more than memory holds, crashes, and a secret in a report."""
    gathered = gather({"include": ["more.yaml"]}, folder=_folder(tmp_path, more=text))
    assert wrong in [problem.wrong for problem in gathered.problems]
    assert all("TOPSECRET" not in problem.wrong + problem.instead for problem in gathered.problems)


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    """Guards against a preview in CI that never ends."""
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))
    gathered = gather({"include": ["more.yaml"]}, folder=_folder(tmp_path, more=f"a0: &a0 x\n{levels}\n"))
    assert gathered.problems


def test_a_name_in_two_included_files_is_blamed_on_the_second(tmp_path: Path) -> None:
    """Guards against a report that names one file twice and the other never."""
    entry = "destinations: {x: {hosts: [a.example.com]}}"
    gathered = gather({"include": ["a.yaml", "b.yaml", "a.yaml"]}, folder=_folder(tmp_path, a=entry, b=entry))
    assert [(p.file, p.wrong) for p in gathered.problems] == [("stacks/b.yaml", "is in stacks/a.yaml too")]


def test_a_missing_included_file_is_reported(tmp_path: Path) -> None:
    """Guards against destinations that vanish with a renamed file."""
    gathered = gather({"include": ["gone.yaml"]}, folder=_folder(tmp_path))
    assert [(p.file, p.wrong) for p in gathered.problems] == [("stacks/gone.yaml", "there is no such file")]


@pytest.mark.parametrize(
    "name", ["../policy/approvals/dev.yaml", "/etc/passwd.yaml", "Pulumi.dev.yaml", "a.yml", 3, ""]
)
def test_other_files_are_never_read(tmp_path: Path, name: Any) -> None:
    """Guards against a stack file that reads what is not a declaration; settings report the name."""
    gathered = gather({"include": [name]}, folder=_folder(tmp_path))
    assert gathered.problems == []
    assert gathered.values == {"include": [name]}
