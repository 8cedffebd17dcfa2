"""From where callers may call, and with which claims, as a SecurityPolicy has it."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from components.plan.offers.telemetry import TOKENS
from components.settings.offers.access import Access

_TYPES: Final = ("String", "StringArray")
"""A claim is one text, or a list of them; a rule knows one of the two (authorization_types.go, `valueType`)."""


def authorization(access: Access) -> dict[str, Any] | None:
    """`authorization`: what no rule allows is refused. `None` where it would say nothing."""
    claims = {} if access.jwt is None else access.jwt.claims or {}
    if access.client_cidrs is None and not claims:
        return None
    addresses = {} if access.client_cidrs is None else {"clientCIDRs": sorted(access.client_cidrs)}
    if not claims:
        return {"defaultAction": "Deny", "rules": [{"action": "Allow", "principal": addresses}]}
    return {
        "defaultAction": "Deny",
        "rules": [
            {
                "action": "Allow",
                "principal": {**addresses, "jwt": {"provider": TOKENS, "claims": _claims(claims, types)}},
            }
            for types in itertools.product(_TYPES, repeat=len(claims))
        ],
    }


def _claims(claims: Mapping[str, Sequence[str]], types: Sequence[str]) -> list[dict[str, Any]]:
    """All of them must hold, each with one of its values."""
    return [
        {"name": name, "valueType": kind, "values": sorted(values)}
        for (name, values), kind in zip(sorted(claims.items()), types, strict=True)
    ]
