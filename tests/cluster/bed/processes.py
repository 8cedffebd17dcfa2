"""Processes of the bed: each in a network namespace, with a log file, ended with its children."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.bed.network import inside


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process that was started, and how to start it again."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    popen: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End it without warning, its children too, as a crash does."""
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def again(self) -> "Process":
        """The same process anew; its log goes on."""
        return _start(self.name, self.command, self.environment, self.log)

    def tail(self, lines: int = 15) -> str:
        """The end of its log, for a message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def start(
    name: str, command: Sequence[str | Path], *, namespace: str, log: Path, environment: Mapping[str, str] | None = None
) -> Process:
    """Start a process in a network namespace; only the network is that of the namespace."""
    entered = (*inside(namespace), *map(str, command))
    return _start(name, entered, {**plain_environment(), **(environment or {})}, log)


def plain_environment() -> dict[str, str]:
    """What programs of the bed get of our own environment: no proxies, no settings of other clusters."""
    kept = ("PATH", "HOME", "XDG_CACHE_HOME", "GOPATH", "GOMODCACHE", "GOROOT", "GOTOOLCHAIN")
    return {key: os.environ[key] for key in kept if key in os.environ}


def _start(name: str, command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> Process:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(name=name, command=command, environment=environment, log=log, popen=popen)


def wait_until(
    condition: Callable[[], bool], what: str, *, seconds: float = 60.0, why_not: Callable[[], str] = lambda: ""
) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it does not hold in time; the message says what was waited for, and why it may be.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}\n{why_not()}".rstrip())
        time.sleep(0.1)
