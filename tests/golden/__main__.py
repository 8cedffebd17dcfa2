"""Writes the goldens anew: `make generate` runs it, people read the diff, and CI compares."""

import os

from tests.conftest import TODAY

os.environ["EGRESS_TODAY"] = TODAY

from tests.golden.render import GOLDEN_STACKS, golden_file, golden_text

for stack in GOLDEN_STACKS:
    golden_file(stack).write_text(golden_text(stack), encoding="utf-8")
