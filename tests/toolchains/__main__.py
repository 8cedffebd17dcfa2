"""Builds every program that the tests need: `python -m tests.toolchains`. Without Go it says so, and builds nothing."""

from tests.toolchains import ToolchainMissing, names, tool

if __name__ == "__main__":
    for name in names():
        try:
            print(f"{name}: {tool(name)}")
        except ToolchainMissing as error:
            print(f"{name}: skipped, {error}")
