"""The real Envoy, from its Python package."""

import importlib.util
from pathlib import Path


def envoy_program() -> Path:
    """The program itself; the package's own command is a launcher in Python.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    found = importlib.util.find_spec("envoy")
    if found is None or found.submodule_search_locations is None:
        raise FileNotFoundError("Envoy is not installed: requirements/cluster.txt has it")
    return Path(found.submodule_search_locations[0]) / "_bin" / "envoy"
