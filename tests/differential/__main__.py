"""Writes the page about what Envoy Gateway lets through: `python -m tests.differential`."""

from tests.cluster.toolchains import tool, version_of
from tests.differential.report import PAGE, compare, page

if __name__ == "__main__":
    PAGE.write_text(page(compare(tool("egctl")), version_of("egctl")), encoding="utf-8")
