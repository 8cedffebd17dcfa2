"""Programs that tests need and nobody installs: built once from pinned Go modules, kept in a cache that survives runs.

A folder here with `go.mod` and `go.sum` is a program: its one `tool` directive names the package, `go.sum` pins every
module that goes into it. `make toolchains` builds them all; tests call `tool`, and say so where a program is missing.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_HERE = Path(__file__).parent
_PROGRESS_SECONDS = 15.0
_BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")


class ToolchainMissing(Exception):  # noqa: N818 - the usual way to say that something is not there
    """The cache has no program of the right version, and nothing may build it."""


def names() -> list[str]:
    """The programs that there are."""
    return sorted(path.parent.name for path in _HERE.glob("*/go.mod"))


def tool(name: str, *, build: bool = True) -> Path:
    """The program `name`, of the version that its folder here pins.

    Args:
        name: that of a folder here.
        build: whether to build it if the cache does not have it, which takes minutes.

    Raises:
        ToolchainMissing: it is not in the cache, and there is no Go, or it may not be built.
        RuntimeError: Go is there, but cannot build it.
    """
    folder = _HERE / name
    pins = hashlib.sha256((folder / "go.mod").read_bytes() + (folder / "go.sum").read_bytes()).hexdigest()[:16]
    cache = _cache()
    if shutil.which("go") is None:
        # Any compiler will do for a program that is there already.
        for cached in sorted(cache.glob(f"{name}-{pins}-*/{name}")):
            return cached
        raise ToolchainMissing(f"`go` is not on PATH and {cache} has no {name} of the pinned version")
    program = cache / f"{name}-{pins}-{_go(folder, 'env', 'GOVERSION')}" / name
    if not program.is_file() and not build:
        raise ToolchainMissing(f"{name} is not built yet: `make toolchains` does that, once, in minutes")
    if not program.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f"{name}.lock"):
            if not program.is_file():  # another process may have built it meanwhile
                _build(folder, program)
    return program


def version_of(name: str) -> str:
    """The version of the module that the program `name` comes from, as its folder here pins it."""
    package = _package(_HERE / name)
    required = (line.removeprefix("require ").split() for line in _lines(_HERE / name))
    versions = {words[0]: words[1] for words in required if len(words) > 1 and words[1].startswith("v")}
    return next(version for module, version in versions.items() if f"{package}/".startswith(f"{module}/"))


def _package(folder: Path) -> str:
    return next(line.split()[1] for line in _lines(folder) if line.startswith("tool "))


def _lines(folder: Path) -> list[str]:
    return (folder / "go.mod").read_text(encoding="utf-8").splitlines()


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if home != "" else Path.home() / ".cache"
    return base / "cluster-egress" / "toolchains"


def _environment() -> dict[str, str]:
    # Without cgo no C compiler is needed; a workspace or flags of the user must not change what is built.
    return os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}


def _go(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=folder, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"go {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout.strip()


@contextmanager
def _locked(path: Path) -> Generator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system releases it even if this process is killed
        yield


def _build(folder: Path, program: Path) -> None:
    package = _package(folder)
    unfinished = program.with_name(f"{program.name}.{os.getpid()}.tmp")
    program.parent.mkdir(parents=True, exist_ok=True)
    _say(f"building {folder.name} once; on a cold machine this takes minutes")
    command = ["go", "build", "-v", *_BUILD_FLAGS, "-o", str(unfinished), package]
    try:
        with subprocess.Popen(
            command, cwd=folder, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            tail = _follow(folder.name, process.stderr)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n" + "".join(tail))
        unfinished.rename(program)
    finally:
        unfinished.unlink(missing_ok=True)


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
