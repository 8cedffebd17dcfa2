"""Small projects in temporary folders, each with a program, a stack and perhaps a policy pack."""

from pathlib import Path

import pytest
from cli_projects import STACK, MakeProject

HERE = Path(__file__).parent


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """A function that writes a project and returns its folder.

    `program` and `pack` are the source text; None leaves the pack out.
    """

    def make(program: str = "", *, stack: str = STACK, pack: str | None = None, name: str = "project") -> Path:
        project = tmp_path / name
        (project / "stacks").mkdir(parents=True, exist_ok=True)
        (project / "Pulumi.yaml").write_text("name: cluster-egress\nruntime: python\nstackConfigDir: stacks\n")
        (project / "stacks" / "Pulumi.dev.yaml").write_text(stack)
        (project / "__main__.py").write_text(program)
        if pack is not None:
            (project / "policy").mkdir(exist_ok=True)
            (project / "policy" / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 1.2.3\n")
            (project / "policy" / "__main__.py").write_text(pack)
        return project

    return make


@pytest.fixture
def layers() -> str:
    """A program with nested components, secrets, unknown values, a patch and a release."""
    return (HERE / "programs" / "layers.py").read_text()


@pytest.fixture
def levels() -> str:
    """A pack with a blocking and an advisory rule."""
    return (HERE / "packs" / "levels.py").read_text()
