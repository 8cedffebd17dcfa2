"""The `egress` command: what a declaration becomes, and what the policy pack says, without the Pulumi engine.

Only what `--help` needs is imported here; each command imports its work when it runs.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import typer

from cli.commands.check import check_command
from cli.commands.preview import preview_command
from cli.errors import EgressError, ExitCode

DEBUG_VARIABLE: Final = "EGRESS_DEBUG"
_INTERRUPTED: Final = 130
"""What shells report for a program that Ctrl-C ended: 128 + SIGINT."""
_PREFIX: Final = ": Value error, "
"""How pydantic, by which Typer reads options, begins what is wrong with a value."""

app = typer.Typer(
    name="egress",
    help="What a cluster may reach, and what it is offered: previewed from one declaration, without an engine; "
    "and manifests judged by the same policy pack.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("preview")(preview_command)
app.command("check")(check_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit code: 0 clean, 1 settings or usage, 2 policy violations, 3 internal.
    """
    try:
        code = app(args=list(arguments) if arguments is not None else None, prog_name="egress", standalone_mode=False)
    except typer.TyperException as error:
        text = error.format_message().replace(_PREFIX, ": ", 1)
        _say(f"egress: {text}\nTry `egress --help` or `egress COMMAND --help`.")
        return ExitCode.SETTINGS
    except EgressError as error:
        return _failed(error, str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _say("egress: interrupted")
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 the last stop: a short message instead of a traceback
        return _failed(error, f"{type(error).__name__}: {error}", ExitCode.INTERNAL)
    return code if isinstance(code, int) else ExitCode.CLEAN


def _failed(error: Exception, text: str, code: ExitCode) -> int:
    internal = code is ExitCode.INTERNAL
    if internal and os.environ.get(DEBUG_VARIABLE):
        traceback.print_exception(error)
    _say(f"egress: {text}" if internal else text)
    if internal and not os.environ.get(DEBUG_VARIABLE):
        _say(f"This is not about your settings. {DEBUG_VARIABLE}=1 shows where it happened.")
    return code


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
