"""`egress check PATH...`: plain manifests judged by the policy pack, for people, for machines and for GitHub."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode, SettingsFileError
from cli.output import error_json, reader_may_stop, write_json

if TYPE_CHECKING:
    from cli.check.checking import Report


class Format(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


_PATHS = typer.Argument(
    metavar="PATH",
    help="YAML or JSON files; folders, with everything below them that ends in .yaml, .yml or .json, without hidden "
    "folders; - for standard input.",
    show_default=False,
)
_APPROVALS = typer.Option(
    "--approvals",
    metavar="FILE",
    help="What the security team approved (docs/reference/approvals.md). Without it nothing is approved.",
)
_STACK = typer.Option(
    "--stack",
    metavar="STACK",
    help="Judge as the policy pack judges this stack: with its settings (egress nodes, firewall, namespaces, posture) "
    "and its approvals. Needed for answers of Alibaba Cloud's APIs (docs/checking-a-vpc.md).",
)
_NAMESPACE = typer.Option(
    "--namespace",
    metavar="NAME",
    help="Where objects go that name no namespace, as with `kubectl apply -n`. Without it they are refused.",
)
_FORMAT = typer.Option(
    "--format", help="text; json: one object (docs in cli/check/as_json.py); sarif: 2.1.0; github: annotations."
)
_CORPUS = typer.Option(
    "--corpus",
    metavar="FILE",
    help="Instead of PATHs: judge the labelled objects of a JSON Lines file, and print where the verdicts differ.",
)


def check_command(
    paths: Annotated[list[str] | None, _PATHS] = None,
    *,
    approvals: Annotated[Path | None, _APPROVALS] = None,
    stack: Annotated[str | None, _STACK] = None,
    namespace: Annotated[str | None, _NAMESPACE] = None,
    output: Annotated[Format, _FORMAT] = Format.TEXT,
    corpus: Annotated[Path | None, _CORPUS] = None,
) -> int:
    """Judge Kubernetes manifests and answers of Alibaba Cloud's APIs, everything that the PATHs hold as one stack.

    Needs no Pulumi CLI, cluster or network. Exit code: 0 clean or only warnings, 1 usage or approvals, 2 a violation
    blocks, 3 internal. With --corpus: 0 where every verdict agrees, else 1.
    """
    if corpus is not None:
        alone = not paths and approvals is stack is namespace is None and output is Format.TEXT
        return _check_corpus(corpus, alone=alone)
    try:
        report = _report(paths or [], approvals, stack, namespace)
    except Exception as error:
        if output is Format.JSON:
            from cli.check.as_json import VERSION

            with reader_may_stop():
                write_json(error_json(error, version=VERSION))
        raise
    with reader_may_stop():
        _print(report, output)
    return ExitCode.POLICY if report.blocking else ExitCode.CLEAN


def _report(paths: list[str], approvals: Path | None, stack: str | None, namespace: str | None) -> "Report":
    if not paths:
        raise SettingsFileError("Nothing was judged: name a file, a folder, or - for standard input.")
    if approvals is not None and stack is not None:
        raise SettingsFileError("--stack brings its own approvals: leave --approvals out.")
    from cli.check.checking import check
    from cli.check.context import context_of, context_of_stack

    if stack is None:
        return check(paths, context_of(approvals), approvals=approvals, namespace=namespace)
    context, file = context_of_stack(stack)
    return check(paths, context, approvals=file, namespace=namespace)


def _print(report: "Report", output: Format) -> None:
    if output is Format.TEXT:
        from cli.check.as_text import text_lines

        typer.echo("\n".join(text_lines(report)))
    elif output is Format.GITHUB:
        from cli.check.as_github import github_lines

        typer.echo("\n".join(github_lines(report)))
    else:
        from cli.check.as_json import report_json
        from cli.check.as_sarif import report_sarif

        write_json(report_json(report) if output is Format.JSON else report_sarif(report))


def _check_corpus(corpus: Path, *, alone: bool) -> int:
    if not alone:
        raise SettingsFileError("--corpus goes with no PATH and no other option: its rows say it all.")
    from cli.check.corpus import corpus_lines, judge_corpus

    outcome = judge_corpus(corpus)
    with reader_may_stop():
        typer.echo("\n".join(corpus_lines(outcome)))
    return ExitCode.CLEAN if outcome.agrees else ExitCode.SETTINGS
