"""What alert rules are made of."""

from typing import Any, Final

WINDOW: Final = "10m"
"""How far back rules look."""


def alert_rule(
    name: str, expression: str, *, summary: str, description: str, action: str, minutes: int | None = None
) -> dict[str, Any]:
    """One rule: what is wrong, how much of it, and what to do; `minutes` it must have been so. No severity yet."""
    rule: dict[str, Any] = {
        "alert": name,
        "expr": expression,
        "annotations": {"summary": summary, "description": description, "action": action},
    }
    if minutes is not None:
        rule["for"] = f"{minutes}m"
    return rule


def counted(*counters: str) -> str:
    """What these counters have counted within the window; `increase` alone passes over the first of a series."""
    each: list[str] = []
    for counter in counters:
        each += [f"(increase({counter}[{WINDOW}]) > 0)", f"({counter} unless {counter} offset {WINDOW})"]
    return " or ".join(each)
