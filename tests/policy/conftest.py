"""Hypothesis for the tests of the pack."""

from hypothesis import settings

# The first name that is classified loads the public suffix list: slow once, which is no failure.
settings.register_profile("policy", deadline=None)
settings.load_profile("policy")
