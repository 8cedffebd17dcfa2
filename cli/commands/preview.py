"""`egress preview STACK`: everything that a stack becomes, as a tree, as JSON, or as files for kubectl and helm."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import EgressError, ExitCode, ProgramError
from cli.output import error_json, reader_may_stop, write_json

if TYPE_CHECKING:
    from cli.offline.preview import Preview, Progress, Stage
    from cli.offline.project import Project
    from cli.render.manifests import ManifestFile

_STACK = typer.Argument(metavar="STACK", help="The stack, such as dev: stacks/Pulumi.STACK.yaml.")
_JSON = typer.Option("--json", help="Print one JSON object (docs in cli/render/as_json.py), for machines.")
_MANIFESTS = typer.Option(
    "--manifests",
    metavar="DIR",
    help="Also write the Kubernetes objects to DIR, one file each, numbered in an order in which they can be "
    "applied, and Helm releases as folders. DIR must be new, empty, or written by this command before. "
    "Nothing is written while a policy blocks. Secrets are never written.",
)
_PROJECT = typer.Option(
    "--project", metavar="DIR", help="The folder of Pulumi.yaml. Without it: this one, or the nearest above."
)
_POLICY_PACK = typer.Option(
    "--policy-pack", metavar="DIR", help="The folder of the policy pack to ask. Without it: policy/ in the project."
)


def preview_command(
    stack: Annotated[str, _STACK],
    as_json: Annotated[bool, _JSON] = False,
    manifests: Annotated[Path | None, _MANIFESTS] = None,
    project: Annotated[Path | None, _PROJECT] = None,
    policy_pack: Annotated[Path | None, _POLICY_PACK] = None,
) -> int:
    """Preview STACK offline: the resources, what the policy pack says, and the outputs.

    Needs no Pulumi CLI, cluster, credentials or network. Exit code: 0 clean, 1 settings or usage, 2 a policy blocks,
    3 internal.
    """
    from cli.render.as_json import VERSION, preview_json

    try:
        result, written = _preview(stack, manifests, project, policy_pack)
    except Exception as error:
        if as_json:
            with reader_may_stop():
                write_json(error_json(error, version=VERSION))
        raise
    with reader_may_stop():
        if as_json:
            write_json(preview_json(result, written))
        else:
            from cli.render.tree import print_preview

            print_preview(result, written)
    if result.blocked and manifests is not None:
        sys.stderr.write("No manifests were written: a policy blocks.\n")
    return ExitCode.POLICY if result.blocked else ExitCode.CLEAN


def _preview(
    stack: str, manifests: Path | None, project_dir: Path | None, policy_pack: Path | None
) -> tuple["Preview", tuple["ManifestFile", ...]]:
    from cli.offline.project import find_project, load_project

    project = find_project(Path.cwd()) if project_dir is None else load_project(project_dir)
    project.stack_file(stack)
    if manifests is not None:
        # Found out before the work, not after it.
        from cli.render.manifests import check_directory

        check_directory(manifests)

    # The SDK takes a quarter of a second to import; an unknown stack is told before.
    from cli.offline.preview import preview

    try:
        with _progress() as progress:
            result = preview(project.directory, stack, policy_pack=policy_pack, progress=progress)
    except ProgramError as error:
        raise _with_lines(error, project, stack) from error
    if manifests is None or result.blocked:
        return result, ()
    from cli.render.manifests import write_manifests

    return result, write_manifests(result, manifests, charts_from=project.directory)


def _with_lines(error: ProgramError, project: "Project", stack: str) -> EgressError:
    """The program's report with the line of each setting, which the program itself cannot know."""
    from cli.offline.lines import with_lines

    path = project.stack_file(stack)
    text = path.read_text(encoding="utf-8-sig")
    return ProgramError(with_lines(error.report, file=project.shown(path), text=text))


@contextmanager
def _progress() -> Generator["Progress | None"]:
    """A line on the terminal that says how far the work is; nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("Starting the program and the policy pack") as status:

        def show(stage: "Stage", done: int, total: int | None) -> None:
            if stage == "program":
                status.update(f"Running the program: {done} resources")
            else:
                status.update(f"Asking the policy pack: {done} of {total} resources")

        yield show
