"""How many requests callers may make, as a BackendTrafficPolicy has it."""

from collections.abc import Iterator
from typing import Any, Final

from components.settings.offers.limits import RateLimit, RequestLimits

_EVERY_ADDRESS: Final = ("0.0.0.0/0", "::/0")


def rate_limit(limits: RequestLimits) -> dict[str, Any] | None:
    """`rateLimit`: both kinds of counting stand side by side (ratelimit_types.go)."""
    asked = sorted((limits.requests or {}).items())
    local = [rule for _, each in asked if each.counted == "each-proxy" for rule in _alone(each)]
    together = [rule for _, each in asked if each.counted == "together" for rule in _together(each)]
    found = {
        **({"local": {"rules": local}} if local else {}),
        **({"global": {"rules": together}} if together else {}),
    }
    return found or None


def _alone(limit: RateLimit) -> Iterator[dict[str, Any]]:
    # A rule that selects nobody counts only what no other rule does (local_ratelimit.go), so it selects everything.
    yield {"clientSelectors": [{"path": {"type": "PathPrefix", "value": "/"}}], "limit": _limit(limit)}


def _together(limit: RateLimit) -> Iterator[dict[str, Any]]:
    """Shared, so that all hostnames and rules of a backend have one count."""
    rule = {"limit": _limit(limit), "shared": True}
    if limit.each_header is not None:
        yield {"clientSelectors": [{"headers": [{"name": limit.each_header, "type": "Distinct"}]}], **rule}
    elif limit.each is not None:
        for cidr in _EVERY_ADDRESS:
            yield {"clientSelectors": [{"sourceCIDR": {"type": "Distinct", "value": cidr}}], **rule}
    else:
        yield rule


def _limit(limit: RateLimit) -> dict[str, Any]:
    return {"requests": limit.requests, "unit": limit.per.capitalize()}
