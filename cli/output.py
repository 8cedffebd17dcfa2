"""Writing to standard output: JSON, errors as JSON, and readers that may be gone."""

import json
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from cli.errors import EgressError


@contextmanager
def reader_may_stop() -> Generator[None]:
    """Let whoever reads our output stop early (`| head`); the exit code still says what was found."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def error_json(error: Exception, *, version: int) -> dict[str, Any]:
    """What ended a command, as plain data: the keys that the JSON of every command has in common.

    Args:
        error: what ended it.
        version: of the shape that the command prints otherwise.
    """
    if isinstance(error, EgressError):
        return {"version": version, "result": error.kind, "error": str(error)}
    return {"version": version, "result": EgressError.kind, "error": f"{type(error).__name__}: {error}"}


def write_json(value: Mapping[str, Any]) -> None:
    """Print on standard output, with sorted keys."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
