"""Builds a toolchain's programs with Go, once, and says how far it is."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Final

from tests.cluster.toolchains.pins import Toolchain

_PROGRESS_SECONDS: Final = 15.0
_BUILD_FLAGS: Final = ("-mod=readonly", "-trimpath", "-buildvcs=false")


@cache
def compiler(toolchain: Toolchain) -> str:
    """The version of Go that builds it, such as `go1.26.8`."""
    return _go(toolchain, "env", "GOVERSION")


def build(toolchain: Toolchain, folder: Path) -> None:
    """Have every program of a toolchain in `folder`; nothing happens if they are there.

    Raises:
        RuntimeError: Go cannot build one.
    """
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f"{toolchain.name}.lock")):
        if folder.is_dir():  # another process has built it meanwhile
            return
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
        try:
            _compile(toolchain, unfinished)
            _keep_files(toolchain, unfinished)
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _compile(toolchain: Toolchain, into: Path) -> None:
    into.mkdir()
    for program, package in toolchain.programs.items():
        _say(f"building {program} once; on a cold machine this takes minutes")
        command = ["go", "build", "-v", *_BUILD_FLAGS, f"-ldflags={toolchain.linker_flags}"]
        command += [f"-tags={','.join(toolchain.tags)}", "-o", str(into / program), package]
        with subprocess.Popen(
            command,
            cwd=toolchain.folder,
            env=_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            tail = _follow(program, process.stderr)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n" + "".join(tail))


def _keep_files(toolchain: Toolchain, into: Path) -> None:
    if not toolchain.files:
        return
    module = Path(json.loads(_go(toolchain, "list", "-m", "-json", toolchain.module))["Dir"])
    for path in toolchain.files:
        target = into / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (module / path).is_dir():
            # Only the contents: the module cache is read-only, and so would be the copies.
            shutil.copytree(module / path, target, copy_function=shutil.copyfile)
            for each in [target, *(found for found in target.rglob("*") if found.is_dir())]:
                each.chmod(0o755)
        else:
            shutil.copyfile(module / path, target)


def _environment() -> dict[str, str]:
    # Without cgo no C compiler is needed; a workspace or flags of the user must not change what is built.
    return os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}


def _go(toolchain: Toolchain, *arguments: str) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=toolchain.folder, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"go {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout.strip()


@contextmanager
def _locked(path: Path) -> Generator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system releases it even if this process is killed
        yield


def _follow(name: str, output: IO[str]) -> list[str]:
    """Says how far a build is, and returns the last lines of its output."""
    started = said = time.monotonic()
    lines: list[str] = []
    for line in output:
        lines.append(line)
        now = time.monotonic()
        if now - said >= _PROGRESS_SECONDS:
            said = now
            _say(f"{name}: {len(lines)} packages after {now - started:.0f} s, now {line.strip()}")
    _say(f"{name}: done after {time.monotonic() - started:.0f} s")
    return lines[-40:]


def _say(text: str) -> None:
    print(f"\ntoolchains: {text}", file=sys.stderr, flush=True)
