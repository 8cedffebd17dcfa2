"""Programs that tests build for themselves: what is used, and what is said, where Go is missing."""

import hashlib
from pathlib import Path

import pytest

from tests.toolchains import ToolchainMissing, tool, version_of

FOLDER = Path(__file__).parent / "egctl"
PINS = hashlib.sha256((FOLDER / "go.mod").read_bytes() + (FOLDER / "go.sum").read_bytes()).hexdigest()[:16]


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, on a machine without Go."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cluster-egress" / "toolchains"


def test_without_go_it_says_what_is_missing(cache: Path) -> None:
    """Guards against a test that passes because it could not run."""
    stale = cache / "egctl-0000000000000000-go1.26.0" / "egctl"
    stale.parent.mkdir(parents=True)
    stale.touch()
    with pytest.raises(ToolchainMissing, match=r"`go` is not on PATH and .* has no egctl of the pinned version"):
        tool("egctl")


def test_without_go_a_program_of_the_pinned_version_is_used(cache: Path) -> None:
    """Guards against needing a compiler for what is built already."""
    built = cache / f"egctl-{PINS}-go1.26.0" / "egctl"
    built.parent.mkdir(parents=True)
    built.touch()
    assert tool("egctl") == built


def test_the_version_is_the_one_of_the_module() -> None:
    """Guards against a page that names the version of another module."""
    assert version_of("egctl") in (FOLDER / "go.mod").read_text(encoding="utf-8").partition("envoyproxy/gateway ")[2]
    assert version_of("egctl").startswith("v1.")
