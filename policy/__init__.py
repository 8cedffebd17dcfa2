"""The policy pack: what must never be in a stack, whoever wrote it."""
