"""Starts a policy pack in a process of its own, as the engine does, and stops it.

The engine's language host runs `python -u -m pulumi.policy <engine address> <pack folder>` in the pack's folder, with
the stack in its environment; the pack serves the `Analyzer` protocol and prints its port (pulumi sdk, python/cmd/
pulumi-language-python, RunPlugin; pulumi_policy, PolicyPack).
"""

import json
import os
import subprocess
import sys
import threading
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import grpc
from pulumi.runtime.proto import engine_pb2_grpc

from cli.errors import PolicyPackError
from cli.offline.monitor import RecordingEngine
from cli.offline.program import ORGANIZATION
from cli.offline.project import Project, read_file
from cli.offline.records import LogMessage
from cli.offline.stack_file import StackConfig
from cli.plain_data import is_map

START_TIMEOUT_S: Final = 60.0
"""Time for a pack to import its rules and open its port, on a slow and cold machine."""
_STOP_TIMEOUT_S: Final = 3.0
_LAST_WORDS_S: Final = 1.0
"""Time for a pack that has just crashed to be gone, so that the message holds its exit code and its traceback."""
_RUN: Final = (
    "import os, runpy, sys; os.environ['PULUMI_CONFIG'] = sys.stdin.read(); sys.path[0] = os.getcwd(); "
    "runpy.run_module('pulumi.policy', run_name='__main__', alter_sys=True)"
)
"""`python -m pulumi.policy` with the configuration from standard input: as a variable of a new process it could not
be longer than 128 KiB (Linux, MAX_ARG_STRLEN), the limit that the engine itself has."""
_SHOWN_LINES: Final = 15


class PackProcess:
    """A policy pack that was started and will, or will not, open its port.

    Args:
        project: where the pack is; its name goes into the pack's environment.
        config: the stack's configuration, likewise (secrets as `[secret]`).
        start_timeout_s: seconds until a pack without a port counts as hung.

    Raises:
        PolicyPackError: there is no pack.
    """

    def __init__(self, project: Project, config: StackConfig, *, start_timeout_s: float = START_TIMEOUT_S) -> None:
        directory = project.policy_directory
        shown = project.shown(directory)
        for file in ("PulumiPolicy.yaml", "__main__.py"):
            if not (directory / file).is_file():
                raise PolicyPackError(f"no policy pack: {shown}/{file} is missing")
        self._shown = shown
        self._start_timeout_s = start_timeout_s
        self._engine = RecordingEngine()
        self._server, address = _serve(self._engine)
        self._process = subprocess.Popen(  # noqa: S603 our own interpreter and the project's own pack
            [sys.executable, "-u", "-c", _RUN, address, str(directory)],
            cwd=directory,
            env=_environment(project, config),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._lines: list[str] = []
        self._first_line: futures.Future[str] = futures.Future()
        settings = json.dumps(dict(config.config))
        self._threads = [
            threading.Thread(target=self._give, args=[settings], name="policy pack settings", daemon=True),
            threading.Thread(target=self._read, args=[True], name="policy pack output", daemon=True),
            threading.Thread(target=self._read, args=[False], name="policy pack errors", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def messages(self) -> tuple[LogMessage, ...]:
        """What the pack logged to the engine."""
        return self._engine.messages

    def address(self) -> str:
        """Where the pack listens; waits until it does.

        Raises:
            PolicyPackError: it ended, hung, or printed something that is no port.
        """
        try:
            line = self._first_line.result(timeout=self._start_timeout_s)
        except TimeoutError:
            raise self.error(f"did not start within {self._start_timeout_s:g} s") from None
        if not line:
            raise self.error("ended before it could judge anything")
        if not line.strip().isdigit():
            raise self.error("printed something before its port: a pack must not write to standard output first")
        return f"127.0.0.1:{line.strip()}"

    def error(self, what: str) -> PolicyPackError:
        """What went wrong with this pack, with the end of what it wrote."""
        if self._gone():
            what += f" (exit code {self._process.returncode})"
        written = [line.rstrip() for line in self._lines[-_SHOWN_LINES:]]
        return PolicyPackError("\n".join([f"the policy pack in {self._shown} {what}", *(f"  {w}" for w in written)]))

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._server.stop(grace=None)

    def _gone(self) -> bool:
        """Whether the process has ended; if so, everything that it wrote has been read."""
        try:
            self._process.wait(timeout=_LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            return False
        for thread in self._threads:
            thread.join(timeout=_LAST_WORDS_S)
        return True

    def _give(self, settings: str) -> None:
        """Hand the pack its configuration."""
        stdin = self._process.stdin
        if stdin is not None:
            # A pack that ended at once is told about elsewhere.
            with suppress(OSError):
                stdin.write(settings)
                stdin.close()

    def _read(self, output: bool) -> None:
        """Take everything that the pack writes, so that it never blocks; the first line of output is its port."""
        stream = self._process.stdout if output else self._process.stderr
        if stream is None:
            return
        with stream:
            for line in stream:
                self._lines.append(line)
                if output and not self._first_line.done():
                    self._first_line.set_result(line)
        if output and not self._first_line.done():
            self._first_line.set_result("")


def _serve(engine: RecordingEngine) -> tuple[Any, str]:
    """The engine's side of the protocol: packs may log to it."""

    class Servicer(engine_pb2_grpc.EngineServicer):
        def Log(self, request: Any, context: Any) -> Any:  # noqa: N802 the protocol's name
            return engine.Log(request, context)

    server: Any = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    engine_pb2_grpc.add_EngineServicer_to_server(Servicer(), server)
    port: int = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


def _environment(project: Project, config: StackConfig) -> dict[str, str]:
    return {
        **os.environ,
        "PULUMI_ORGANIZATION": ORGANIZATION,
        "PULUMI_PROJECT": project.name,
        "PULUMI_STACK": config.stack,
        "PULUMI_DRY_RUN": "true",
        # A proxy for HTTP must not get between two processes of one machine.
        "no_grpc_proxy": "127.0.0.1",
    }


def pack_version(directory: Path) -> str | None:
    """The version in `PulumiPolicy.yaml`, which the engine shows instead of the SDK's fixed one."""
    values = read_file(directory / "PulumiPolicy.yaml", shown="policy/PulumiPolicy.yaml", secret="")
    version = values.get("version") if is_map(values) else None
    return str(version) if version is not None else None
