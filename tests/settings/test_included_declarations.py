"""A whole declaration in several files: what it becomes, and which files it may name at all."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.settings import SettingsError, load_settings
from components.settings.included import Gathered, gather
from tests.support import FILE, TODAY, Values, changed, dev_values, setting, told

_TEAM = "teams/news.yaml"


def _gathered(folder: Path, files: dict[str, str], *names: str, values: Values | None = None) -> Gathered:
    stacks = folder / "stacks"
    for name, text in files.items():
        (stacks / name).parent.mkdir(parents=True, exist_ok=True)
        (stacks / name).write_text(text, encoding="utf-8")
    return gather(changed(setting("include", list(names or files)), values), folder=stacks)


def _one(name: str = "second", section: str = "destinations", **changes: Any) -> str:
    source = {"destinations": "edition-cnn", "backends": "n9e"}[section]
    return yaml.safe_dump({section: {name: {**dev_values()[section][source], **changes}}})


def _told(gathered: Gathered) -> list[tuple[str, str, str]]:
    return [(problem.file, problem.dotted_path, problem.wrong) for problem in gathered.problems]


def test_included_entries_are_entries_of_the_declaration(tmp_path: Path) -> None:
    """An included destination was read and not planned, or took the place of the stack file's own."""
    files = {_TEAM: _one(), "more.yaml": _one("third", "backends", hostnames=["third.example.com"])}
    gathered = _gathered(tmp_path, files)
    assert _told(gathered) == []
    accepted = load_settings(gathered.values, file=FILE, today=TODAY)
    assert set(accepted.destinations) == {"edition-cnn", "second"}
    assert set(accepted.backends or ()) == {"n9e", "httpbin", "third"}


def test_gathering_leaves_what_it_was_given_alone(tmp_path: Path) -> None:
    """A second run found the entries of the first."""
    values = dev_values()
    _gathered(tmp_path, {_TEAM: _one()}, values=values)
    assert values == dev_values()


def test_an_entry_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """A team's file took over another team's destination."""
    gathered = _gathered(tmp_path, {"a.yaml": _one("edition-cnn"), "b.yaml": _one(), "c.yaml": _one()})
    assert _told(gathered) == [
        ("stacks/a.yaml", "destinations.edition-cnn", "is in the stack file too"),
        ("stacks/c.yaml", "destinations.second", "is in stacks/b.yaml too"),
    ]


def test_problems_of_an_entry_name_the_file_that_it_stands_in(tmp_path: Path) -> None:
    """The report sent the operator to a file that does not hold the mistake."""
    gathered = _gathered(tmp_path, {_TEAM: _one(hosts=["*.cnn.com"]), "b.yaml": _one("third", expires="2020-01-01")})
    gathered.values["cluster"]["name"] = "Dev"
    with pytest.raises(SettingsError) as error:
        load_settings(gathered.values, file=FILE, today=TODAY)
    found = {(each.file, each.dotted_path) for each in map(gathered.at_origin, error.value.problems)}
    assert found == {
        (FILE, "cluster.name"),
        ("stacks/b.yaml", "destinations.third.expires"),
        (f"stacks/{_TEAM}", "destinations.second.hosts[0]"),
    }


@pytest.mark.parametrize("name", ["gone.yaml", "a.yaml/b.yaml", "folder.yaml"])
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, name: str) -> None:
    """A missing file ended in a traceback, or was taken for an empty one."""
    (tmp_path / "stacks" / "folder.yaml").mkdir(parents=True)
    gathered = _gathered(tmp_path, {"a.yaml": _one()}, name)
    assert [(problem.file, problem.dotted_path) for problem in gathered.problems] == [
        (f"stacks/{name}", "(the whole file)")
    ]
    assert all(problem.instead for problem in gathered.problems)


@pytest.mark.parametrize(
    "name",
    [
        "../out.yaml",
        "/etc/passwd.yaml",
        "a/../../b.yaml",
        ".hidden.yaml",
        "Pulumi.prod.yaml",
        "a.yml",
        "a",
        "",
        3,
        None,
    ],
)
def test_names_outside_the_folder_are_refused_and_never_opened(tmp_path: Path, name: Any) -> None:
    """A stack file included a file from anywhere, or another stack's settings."""
    (tmp_path / "out.yaml").write_text(_one(), encoding="utf-8")
    (tmp_path / "stacks").mkdir()
    gathered = _gathered(tmp_path, {}, name)
    assert set(gathered.values["destinations"]) == {"edition-cnn"}
    assert [path for path, _, _ in told(changed(setting("include", [name])))] == ["include[0]"]


def test_an_empty_list_of_files_is_refused() -> None:
    """`include:` with nothing behind it was taken for `nothing to include`."""
    assert [path for path, _, _ in told(changed(setting("include", [])))] == ["include"]
    assert [path for path, _, _ in told(changed(setting("include", None)))] == ["include"]
