"""The documentation is run: commands with what they print, and YAML with what comes of it."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import yaml12

from cli.errors import EgressError
from cli.offline.preview import preview
from tests.projects import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"(?P<mark><!-- not run: [^\n]+ -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Example:
    """One fenced block of a page."""

    page: str
    language: str
    text: str
    run: bool


def _examples(*languages: str) -> Iterator[Example]:
    for page in PAGES:
        for block in _BLOCK.finditer(page.read_text()):
            if block["language"] in languages:
                name = str(page.relative_to(ROOT))
                yield Example(page=name, language=block["language"], text=block["text"], run=block["mark"] is None)


def _commands() -> Iterator[tuple[str, str, str]]:
    """Page, command and expected output of each `$ ` line that is to be run."""
    for example in _examples("console"):
        if example.run:
            for part in re.split(r"^\$ ", example.text, flags=re.MULTILINE)[1:]:
                command, _, expected = part.partition("\n")
                yield example.page, command, expected


@pytest.mark.parametrize(("page", "command", "expected"), list(_commands()))
def test_command_prints_what_the_page_says(page: str, command: str, expected: str, tmp_path: Path) -> None:
    """Guards against a page whose commands fail, or print something else."""
    command = command.replace("/tmp/", f"{tmp_path}/")  # noqa: S108 (a page's example folder, not ours)
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{page}: {done.stdout}{done.stderr}"
    pattern = re.escape(expected.strip()).replace(re.escape("..."), "[\\s\\S]*")
    assert re.fullmatch(pattern, done.stdout.strip()), f"{page}: `{command}` printed:\n{done.stdout}"


def _pages_with_yaml() -> list[str]:
    return sorted({example.page for example in _examples("yaml") if example.run})


@pytest.mark.parametrize("page", _pages_with_yaml())
def test_yaml_of_a_page_previews(page: str, project: Path) -> None:
    """Guards against YAML in a page that settings or the pack refuse, and against errors that read otherwise."""
    texts = [example.text for example in _examples("yaml", "text") if example.page == page and example.run]
    expects_error = [text.strip() for text in texts if text.startswith("stacks/")]
    merged = [_merge_into(project, text) for text in texts if not text.startswith("stacks/")]
    stacks = {path.name.split(".")[1] for path in merged if path.name.startswith("Pulumi.")} or {"dev"}
    if expects_error:
        with pytest.raises(EgressError) as refused:
            preview(project, "dev")
        assert str(refused.value) == expects_error[0]
    else:
        previews = [preview(project, stack) for stack in sorted(stacks)]
        assert [each for previewed in previews for each in previewed.violations if each.blocking] == []


def _merge_into(project: Path, text: str) -> Path:
    """Merge a block into the file that its first line names."""
    name = text.splitlines()[0].removeprefix("# ").removesuffix(", wrong")
    path = project / name
    path.parent.mkdir(exist_ok=True)
    merged = _merged(yaml12.parse_yaml(path.read_text()) if path.exists() else {}, yaml12.parse_yaml(text))
    # JSON is YAML too, and keeps dates in quotes.
    path.write_text(json.dumps(merged) if name.startswith("stacks/Pulumi.") else yaml12.format_yaml(merged))
    return path


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    known, added = cast("dict[str, Any]", old), cast("dict[str, Any]", new)
    return {**known, **{key: _merged(known.get(key), value) for key, value in added.items()}}


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in PAGES])
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    """Guards against a page that points at a file that was moved."""
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text())
    assert [link for link in links if not (folder / link).exists()] == []
