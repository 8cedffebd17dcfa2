"""Builds every program that the tests need: `python -m tests.cluster.toolchains`. Without Go it says so."""

import sys

from tests.cluster.toolchains import ToolchainMissing, names, tool

if __name__ == "__main__":
    failed = False
    for name in names():
        try:
            print(f"{name}: {tool(name)}")
        except ToolchainMissing as error:
            print(f"{name}: skipped, {error}")
        except RuntimeError as error:
            print(f"{name}: {error}")
            failed = True
    sys.exit(failed)
