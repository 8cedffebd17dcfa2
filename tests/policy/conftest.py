"""Hypothesis for the tests of the pack, and a fresh start for what the pack remembers."""

import sys

import pytest
from hypothesis import settings

# The first name that is classified loads the public suffix list: slow once, which is no failure.
settings.register_profile("policy", deadline=None)
settings.load_profile("policy")
# Mutation testing runs the same properties thousands of times: few examples, the same each time.
settings.register_profile("mutation", deadline=None, max_examples=25, derandomize=True, database=None)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Empties the caches of the pack before each test, so that what the test needs is called, not remembered.

    Mutation testing runs only the tests that call a function, in copies of a process that ran them all before.
    """
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "policy":
            for found in vars(module).values():
                # The public suffix list is slow to load, and nothing of ours.
                if hasattr(found, "cache_clear") and found.__name__ != "_icann_suffixes":
                    found.cache_clear()
