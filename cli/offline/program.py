"""Runs a project's program once, in this process, against the recording monitor.

As the engine's language host does (pulumi sdk, python/cmd/pulumi-language-python-exec): working folder, arguments,
`runpy` on the folder, configuration with its secret keys, an event loop of its own. What differs is on purpose: calls
to the monitor run where they are made instead of on threads, so that every run registers in the same order.
"""

import asyncio
import logging
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi.runtime

from cli.errors import ProgramDefectError, ProgramError
from cli.offline.monitor import RecordingEngine, RecordingMonitor
from cli.offline.project import Project
from cli.offline.records import Recording
from cli.offline.stack_file import StackConfig

ORGANIZATION: Final = "organization"
"""What the engine says with a backend that knows no organizations."""
_ONE_RUN: Final = threading.Lock()
"""A run moves the process's working folder and `__main__`, so there is one at a time."""
_OWN_ROOT: Final = Path(__file__).resolve().parents[2]


def run_program(project: Project, config: StackConfig, *, registered: Callable[[int], None] | None = None) -> Recording:
    """Run the program of `project` with the configuration of one stack, as often as wanted in one process.

    Args:
        project: where `__main__.py` is.
        config: the stack's configuration.
        registered: called with the number of registrations after each of them.

    Raises:
        ProgramError: the program ended with `pulumi.RunError`.
        ProgramDefectError: it ended with any other exception, or did what only an engine can answer.
    """
    if not (project.directory / "__main__.py").is_file():
        raise ProgramDefectError(f"no __main__.py in {project.directory}")
    outcome: Future[Recording] = Future()

    def run() -> None:
        try:
            outcome.set_result(_run(project, config, registered))
        except BaseException as error:  # noqa: BLE001 raised again below, in the caller's thread
            outcome.set_exception(error)

    with _ONE_RUN, _surroundings(project.directory):
        # A thread of its own has context variables (the SDK's settings) and an event loop of its own, so nothing of
        # a run is left behind; and Ctrl-C reaches the caller at once.
        threading.Thread(target=run, name="program", daemon=True).start()
        return outcome.result()


def _run(project: Project, config: StackConfig, registered: Callable[[int], None] | None) -> Recording:
    monitor = RecordingMonitor(project=project.name, stack=config.stack, registered=registered)
    engine = RecordingEngine()
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=project.name,
            stack=config.stack,
            monitor=monitor,
            engine=engine,
            dry_run=True,
            organization=ORGANIZATION,
            root_directory=str(project.directory),
        )
    )
    pulumi.runtime.set_all_config(dict(config.config), sorted(config.secret_keys))
    try:
        _in_loop(project.directory)
    except pulumi.RunError as error:
        if monitor.failure is not None:
            raise ProgramDefectError(str(monitor.failure)) from error
        raise ProgramError(str(error)) from error
    except (Exception, SystemExit) as error:
        if monitor.failure is not None:
            raise ProgramDefectError(str(monitor.failure)) from error
        raise ProgramDefectError(_last_lines(error, project.directory)) from error
    return monitor.recording(engine.messages)


def _in_loop(directory: Path) -> None:
    def program() -> None:
        runpy.run_path(str(directory), run_name="__main__")

    loop = asyncio.new_event_loop()
    loop.set_default_executor(_CallersThread())
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)


class _CallersThread(ThreadPoolExecutor):
    """Runs each call at once, in the thread that submits it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 handed to whoever awaits the future
            future.set_exception(error)
        return future


@contextmanager
def _surroundings(directory: Path) -> Generator[None]:
    """The process as the language host gives it to a program; afterwards everything as it was."""
    cwd, arguments, path = Path.cwd(), sys.argv, list(sys.path)
    # A failed program leaves futures unobserved; asyncio would write about each. The language host mutes it too.
    asyncio_log = logging.getLogger("asyncio")
    level = asyncio_log.level
    try:
        os.chdir(directory)
        sys.argv = [str(directory)]
        asyncio_log.setLevel(logging.CRITICAL)
        with _own_modules(directory):
            yield
    finally:
        os.chdir(cwd)
        sys.argv = arguments
        sys.path[:] = path
        asyncio_log.setLevel(level)


@contextmanager
def _own_modules(directory: Path) -> Generator[None]:
    """Let a foreign project import its own modules, not this repository's of the same names."""
    if directory == _OWN_ROOT:
        yield
        return
    names = {path.stem for path in directory.iterdir() if path.suffix == ".py" or path.is_dir()} - {"__main__"}
    hidden = {name: sys.modules.pop(name) for name in _loaded(names)}
    try:
        yield
    finally:
        for name in _loaded(names):
            del sys.modules[name]
        sys.modules.update(hidden)


def _loaded(names: set[str]) -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] in names]


def _last_lines(error: BaseException, directory: Path) -> str:
    """What the program raised, and where in the project."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(directory) and ".venv" not in Path(frame.filename).parts
    ]
    kind = f"{type(error).__name__}: " if str(error) else type(error).__name__
    where = f" ({Path(frames[-1].filename).relative_to(directory)}:{frames[-1].lineno})" if frames else ""
    return f"the program failed: {kind}{error}{where}"
