"""Programs that tests need and nobody installs: built once from pinned Go modules, kept in a cache that survives runs.

A folder here with `go.mod` and `go.sum` is a toolchain: its `tool` directives name the programs, `go.sum` pins every
module that goes into them. `make toolchains` builds them all; tests call `tool`, and say so where a program is missing.
"""

import os
import shutil
from pathlib import Path

from tests.cluster.toolchains import building
from tests.cluster.toolchains.pins import TOOLCHAINS, Toolchain


class ToolchainMissing(Exception):  # noqa: N818 - the usual way to say that something is not there
    """The cache has no program of the right version, and nothing may build it."""


def names() -> list[str]:
    """The programs that there are."""
    return sorted(program for toolchain in TOOLCHAINS for program in toolchain.programs)


def tool(name: str, *, build: bool = True) -> Path:
    """The program `name`, of the version that its toolchain pins.

    Args:
        name: one of `names()`.
        build: whether to build it if the cache does not have it, which takes minutes.

    Raises:
        ToolchainMissing: it is not in the cache, and there is no Go, or it may not be built.
        RuntimeError: Go is there, but cannot build it.
    """
    return _folder(_of(name), name, build=build) / name


def module_file(program: str, path: str) -> Path:
    """A file or folder that the module of `program` brings beside its code, such as a chart; built with it.

    Raises:
        ToolchainMissing: the program is not built.
    """
    return _folder(_of(program), program, build=False) / "files" / path


def version_of(name: str) -> str:
    """The version of the module that the program `name` comes from, as its toolchain pins it."""
    return _of(name).version


def _of(name: str) -> Toolchain:
    return next(toolchain for toolchain in TOOLCHAINS if name in toolchain.programs)


def _folder(toolchain: Toolchain, name: str, *, build: bool) -> Path:
    cache = _cache()
    stem = f"{toolchain.name}-{toolchain.digest}"
    if shutil.which("go") is None:
        # Any compiler will do for a program that is there already.
        for cached in sorted(cache.glob(f"{stem}-*/{name}")):
            return cached.parent
        raise ToolchainMissing(f"`go` is not on PATH and {cache} has no {name} of the pinned version")
    folder = cache / f"{stem}-{building.compiler(toolchain)}"
    if not (folder / name).is_file() and not build:
        raise ToolchainMissing(f"{name} is not built yet: `make toolchains` does that, once, in minutes")
    building.build(toolchain, folder)
    return folder


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if home != "" else Path.home() / ".cache"
    return base / "cluster-egress" / "toolchains"
