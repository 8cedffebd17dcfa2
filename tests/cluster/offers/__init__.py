"""Backends in full, on one bed: the stack `dev` with an entry for everything that they can ask for."""
