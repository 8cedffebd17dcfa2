"""How much of what the account may have the declaration takes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Quota:
    """One limit, and the distance to it."""

    name: str
    """The key under cloud.limits."""
    used: int
    limit: int
    source: str
    """The page that says so, or `settings` where nobody does."""
